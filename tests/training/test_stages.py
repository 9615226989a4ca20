from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from scipy.special import expit

from clauselens.cli.model import score_examples
from clauselens.dataset.rows import clauses
from clauselens.evaluation.metrics import label_matrix
from clauselens.storage import sha256_file
from clauselens.training.encoders import resolve_encoder
from clauselens.training.finetune import fit
from clauselens.training.scorer import seal_unfitted
from clauselens.training.stages import fit_in_stages, forget
from clauselens.training.written import read_written


@pytest.fixture
def written_file(root, tmp_path):
    """Every eightieth written row."""
    some = (root / "data/synthetic/written.jsonl").read_text().splitlines(keepends=True)[::80]
    path = tmp_path / "written.jsonl"
    path.write_text("".join(some))
    return path


def test_folds_share_the_first_stage_and_go_on_from_it(
    train_config, written_file, taxonomy, examples, tmp_path
):
    config = replace(
        train_config, written=str(written_file), pretraining={"num_train_epochs": 1}, replay=0.5
    )
    written = read_written(config.written, taxonomy=taxonomy)
    rows = clauses(examples, "train")[:24]

    def fitted(name, part, written=written):
        (tmp_path / name).mkdir()
        facts = fit_in_stages(
            config,
            examples=part,
            written=written,
            taxonomy=taxonomy,
            encoder=resolve_encoder(config.encoder),
            folder=tmp_path / name,
            work=tmp_path / f"{name}-work",
            stages=tmp_path / "stages",
            scorer=score_examples,
        )
        return facts, load_file(tmp_path / name / "model.safetensors")

    first, weights = fitted("first", rows)
    stage, other = -(-len(written) // 8), 3 * -(-36 // 8)
    assert first.steps == stage + other
    # Without examples the first stage is all there is, and it is there already.
    alone, pretrained = fitted("alone", [])
    assert alone.steps == 0
    assert fitted("second", rows[:12])[0].steps == 3 * -(-18 // 8)
    again, same = fitted("again", rows)
    assert again.steps == other
    for name, tensor in weights.items():
        assert torch.equal(tensor, same[name])
    assert not torch.equal(weights["classifier.weight"], pretrained["classifier.weight"])
    # It goes on from there: the classifier stays nearer to where it was than it was to its start.
    moved = (weights["classifier.weight"] - pretrained["classifier.weight"]).norm()
    assert moved < pretrained["classifier.weight"].norm()
    # No written row may be unlike what is scored.
    assert fitted("none", rows, [])[0].steps == 3 * 3
    forget(tmp_path / "stages")
    assert list((tmp_path / "stages").iterdir()) == []


def test_a_model_of_the_annotated_rows_has_half_a_say_in_the_written_rows_targets(
    train_config, written_file, taxonomy, examples, tmp_path
):
    config = replace(
        train_config,
        written=str(written_file),
        trainer={**train_config.trainer, "num_train_epochs": 1},
        relabelling={"num_train_epochs": 2},
    )
    written = read_written(config.written, taxonomy=taxonomy)
    rows = clauses(examples, "train")[:24]
    gold = label_matrix([row.labels for row in written], taxonomy.labels)
    work = tmp_path / "work"

    def fitted(name, **changes):
        (tmp_path / name).mkdir()
        return fit_in_stages(
            replace(config, **changes),
            examples=rows,
            written=written,
            taxonomy=taxonomy,
            encoder=resolve_encoder(config.encoder),
            folder=tmp_path / name,
            work=work,
            stages=tmp_path / "stages",
            scorer=score_examples,
        )

    last = -(-(24 + len(written)) // 8)
    assert fitted("first").steps == 2 * 3 + last
    targets = np.load(work / "relabelled.npy")
    # The model's half is no more than a half, and is the one of the annotated rows alone.
    assert np.array_equal(targets >= 0.5, gold)
    alone = replace(config, written="", relabelling={})
    alone = replace(alone, trainer={**config.trainer, **config.relabelling})
    (tmp_path / "alone").mkdir()
    fit(
        alone,
        examples=rows,
        taxonomy=taxonomy,
        encoder=resolve_encoder(config.encoder),
        folder=tmp_path / "alone",
        work=tmp_path / "alone-work",
    )
    seal_unfitted(tmp_path / "alone", taxonomy=taxonomy, input_format=config.input.format)
    said = expit(score_examples(tmp_path / "alone", written, True))
    assert np.abs(targets - (said + gold) / 2).max() < 1e-6
    # After a stop they are taken from where they are; and they are what teaches.
    assert fitted("second").steps == last
    assert fitted("hard", relabelling={}).steps == last
    first, second, hard = (
        sha256_file(tmp_path / name / "model.safetensors") for name in ("first", "second", "hard")
    )
    assert first == second != hard


@pytest.mark.slow
def test_a_killed_run_goes_on_to_the_same_result(train_config, written_file, tmp_path):
    """Two real kills, with SIGKILL, in the middle of an epoch: one in each stage."""
    overrides = [
        f"data={train_config.data}",
        f"taxonomy={train_config.taxonomy}",
        "trainer.num_train_epochs=4",
        "trainer.per_device_train_batch_size=8",
        "trainer.save_strategy=steps",
        "trainer.save_steps=5",
        "trainer.save_total_limit=1",
        f"written={written_file}",
        "pretraining.num_train_epochs=2",
    ]
    config = Path(__file__).parents[2] / "configs/smoke.yaml"

    def command(out):
        return [
            sys.executable,
            "-m",
            "clauselens",
            "train",
            str(config),
            *overrides,
            "-o",
            str(out),
        ]

    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(command(tmp_path / "whole"), check=True, **quiet)
    for stage in ("out-of-fold/pretrained-*.work", "checkpoints"):
        with subprocess.Popen(command(tmp_path / "killed"), **quiet) as process:
            while not list(tmp_path.glob(f".killed.work/{stage}/checkpoint-*/trainer_state.json")):
                assert process.poll() is None
                time.sleep(0.05)
            process.kill()
        assert not (tmp_path / "killed").exists()
    done = subprocess.run(command(tmp_path / "killed"), capture_output=True, text=True, check=True)
    whole, killed = (tmp_path / name / "model.safetensors" for name in ("whole", "killed"))
    assert sha256_file(whole) == sha256_file(killed)
    assert "models" not in done.stderr
    left = sorted(p.name for p in tmp_path.iterdir())
    assert left == ["killed", "whole", "written.jsonl"]
