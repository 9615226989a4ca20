from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from huggingface_hub import ModelCard

from clauselens.evaluation.scaling import Scaling
from clauselens.training.card import render_card
from clauselens.training.config import read_train_config
from clauselens.training.encoders import resolve_encoder


def test_the_card_says_what_the_folder_holds(model_folder, train_config):
    card = ModelCard.load(model_folder / "README.md")
    assert card.data.base_model == train_config.encoder.name
    assert card.data.pipeline_tag == "text-classification"
    assert train_config.encoder.sha256[:16] in card.text
    calibration = json.loads((model_folder / "calibration.json").read_text())
    for label, cut in json.loads((model_folder / "thresholds.json").read_text()).items():
        slope, offset = calibration["slope"][label], calibration["offset"][label]
        assert f"| `{label}` | {cut:.3f} | {slope:.3f} | {offset:+.3f} |" in card.text
    rows = json.loads((model_folder / "data_manifest.json").read_text())["rows"]
    taught = sum(row["use"] == "train" for row in rows)
    assert f"train: {taught} rows" in card.text


@pytest.mark.parametrize("name", ["minilm", "smoke"])
def test_the_card_names_the_stages_and_the_loss(root, taxonomy, examples, name):
    config = read_train_config(root / f"configs/{name}.yaml")
    labels = len(taxonomy.labels)

    def text(config):
        return render_card(
            config,
            name=name,
            taxonomy=taxonomy,
            encoder=resolve_encoder(config.encoder),
            seen={"train": examples[:5]},
            scaling=Scaling("none", np.ones(labels), np.zeros(labels)),
            thresholds=np.full(labels, 0.5),
            metrics={},
            table="none",
            failures=[],
        )

    assert ("in two stages" in text(config)) == bool(config.pretraining)
    assert ("adversarial" in text(config)) == bool(config.loss.adversarial)
    plain = replace(config, loss=replace(config.loss, adversarial=0.0))
    assert "adversarial" not in text(plain)
