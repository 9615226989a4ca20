from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from clauselens import ClauseClassifier
from clauselens.errors import InputError
from clauselens.evaluation.scaling import Scaling, sigmoid
from clauselens.model.folder import read_facts


@pytest.fixture
def copy(model_folder, tmp_path):
    return shutil.copytree(model_folder, tmp_path / "model")


def test_loading_writes_nothing(copy):
    def state():
        return {p.name: (p.stat().st_mtime_ns, p.stat().st_size) for p in copy.rglob("*")}

    before = state()
    ClauseClassifier.load(copy).predict(["We keep your data for a year."])
    assert state() == before


@pytest.mark.parametrize("name", ["model.safetensors", "thresholds.json", "tokenizer.json"])
def test_a_damaged_file_is_named(copy, name):
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    with pytest.raises(InputError, match=rf"{name}: damaged or swapped"):
        read_facts(copy)


def test_a_missing_file_is_named(copy):
    (copy / "taxonomy.json").unlink()
    with pytest.raises(InputError, match=r"taxonomy\.json: missing"):
        read_facts(copy)


def test_a_folder_that_is_none_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such model folder"):
        read_facts(tmp_path / "nope")
    with pytest.raises(InputError, match="not a complete model folder"):
        read_facts(tmp_path)


def test_the_manifest_names_the_rows_that_were_seen(model_folder, small_data):
    manifest = json.loads((model_folder / "data_manifest.json").read_text())
    ids = {
        use: {row["id"] for row in manifest["rows"] if row["use"] == use}
        for use in ("train", "thresholds")
    }
    for use, split in (("train", "train"), ("thresholds", "validation")):
        lines = (small_data / f"{split}.jsonl").read_text().splitlines()
        assert ids[use] == {json.loads(line)["id"] for line in lines}


def test_the_configuration_records_encoder_and_libraries(model_folder, train_config):
    recorded = json.loads((model_folder / "training_config.json").read_text())
    assert recorded["config"]["encoder"]["sha256"] == train_config.encoder.sha256
    assert recorded["encoder_source"].startswith("package")
    assert set(recorded["libraries"]) >= {"torch", "transformers"}


def test_sigmoid_is_stable_and_calibration_applies_it():
    logits = np.array([[-1000.0, 0.0, 1000.0]])
    assert sigmoid(logits).tolist() == [[0.0, 0.5, 1.0]]
    calibration = Scaling("platt", np.array([1.0, 2.0, 0.5]), np.array([0.0, 1.0, 0.0]))
    expected = 1 / (1 + np.exp(-np.array([1.0, 3.0, 0.5])))
    assert np.allclose(calibration.probabilities(np.ones((1, 3))), expected)
