from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, TrainingArguments

from clauselens.dataset.rows import clauses
from clauselens.errors import InputError
from clauselens.evaluation.metrics import label_matrix
from clauselens.model.encoding import InputEncoder, InputFormat
from clauselens.training.arguments import training_arguments
from clauselens.training.batches import Collator, EncodedRows
from clauselens.training.config import read_train_config
from clauselens.training.relabel import relabelling_stage
from clauselens.training.stages import first_stage
from clauselens.training.trainer import ClauseTrainer

NORM = 2.0


@pytest.fixture
def batch(model_folder, examples, taxonomy):
    rows = clauses(examples, "train")[:8]
    encoded = EncodedRows(
        rows,
        encoder=InputEncoder.load(model_folder, InputFormat()),
        targets=label_matrix([e.labels for e in rows], taxonomy.labels).astype(np.float32),
        seed=0,
    )
    return Collator(pad=0, segments=True)([encoded[row] for row in range(len(encoded))])


def gradients(model):
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_an_adversarial_step_is_the_mean_of_two_and_leaves_the_words(model_folder, batch, tmp_path):
    def loss(logits, targets):
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)

    def plain(shift):
        model.zero_grad()
        words.data += shift
        inputs = {name: values for name, values in batch.items() if name != "labels"}
        value = loss(model(**inputs).logits, batch["labels"])
        value.backward()
        words.data.copy_(before)
        return value.item(), gradients(model)

    model = AutoModelForSequenceClassification.from_pretrained(
        model_folder, classifier_dropout=0.0, attn_implementation="eager"
    ).train()
    words = model.get_input_embeddings().weight
    before = words.detach().clone()
    first, clean = plain(torch.zeros_like(before))
    grown = clean["bert.embeddings.word_embeddings.weight"]
    second, moved = plain(NORM * grown / grown.norm())
    assert second > first * 1.02
    model.zero_grad()

    trainer = ClauseTrainer(
        model=model,
        args=TrainingArguments(output_dir=str(tmp_path), use_cpu=True, label_names=["labels"]),
        compute_loss_func=lambda outputs, labels, **_: loss(outputs["logits"], labels),
        adversarial=NORM,
    )
    told = trainer.training_step(model, dict(batch))
    assert told.item() == pytest.approx(first, rel=1e-5)
    assert torch.equal(words, before)
    for name, gradient in gradients(model).items():
        expected = (clean[name] + moved[name]) / 2
        assert torch.allclose(gradient, expected, rtol=1e-3, atol=1e-6), name


def test_only_the_last_stage_is_adversarial(root):
    config = read_train_config(root / "configs/opp115.yaml", ["loss.adversarial=1"])
    assert config.loss.adversarial == 1.0
    assert relabelling_stage(config).loss.adversarial == 0.0
    assert first_stage(config).loss.adversarial == 0.0


def test_adversarial_training_takes_no_accumulation_and_no_negative_norm(
    root, train_config, tmp_path
):
    with pytest.raises(InputError, match=r"adversarial is -1\.0, expected 0 or more"):
        read_train_config(root / "configs/minilm.yaml", ["loss.adversarial=-1"])
    config = replace(
        train_config,
        loss=replace(train_config.loss, adversarial=1.0),
        trainer={**train_config.trainer, "gradient_accumulation_steps": 2},
    )
    with pytest.raises(InputError, match="does not go with"):
        training_arguments(config, tmp_path)
