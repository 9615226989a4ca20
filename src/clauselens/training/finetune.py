"""Fine-tunes an encoder with a classification head by the Hugging Face Trainer."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    EarlyStoppingCallback,
    TrainerCallback,
    set_seed,
)
from transformers.trainer_utils import IntervalStrategy, get_last_checkpoint
from transformers.utils import logging as transformers_logging

from clauselens.errors import InputError
from clauselens.evaluation.metrics import label_matrix
from clauselens.model.encoding import InputEncoder
from clauselens.records import Example
from clauselens.taxonomy import Taxonomy
from clauselens.training import head
from clauselens.training.arguments import training_arguments
from clauselens.training.batches import Collator, EncodedRows
from clauselens.training.config import TrainConfig
from clauselens.training.encoders import Encoder
from clauselens.training.losses import build_loss
from clauselens.training.processes import is_main, wait_for_all
from clauselens.training.trainer import ClauseTrainer

_INNER_DROPOUT = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "dropout",
    "attention_dropout",
)
HEAD_ROWS = 256
"""Training rows whose mean is the origin of the definitions."""

_HEAD_DROPOUT = ("classifier_dropout", "seq_classif_dropout")


@dataclass(frozen=True, slots=True, kw_only=True)
class FitFacts:
    """What a fit took: optimiser steps and seconds."""

    steps: int
    seconds: float


class _ShowEpoch(TrainerCallback):  # type: ignore[misc]
    def __init__(self, rows: EncodedRows) -> None:
        self._rows = rows

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._rows.epoch = int((state.epoch or 0) + 1e-6)


def fit(
    config: TrainConfig,
    *,
    examples: Sequence[Example],
    taxonomy: Taxonomy,
    encoder: Encoder,
    folder: Path,
    work: Path,
    evaluation: Sequence[Example] = (),
    targets: NDArray[np.float32] | None = None,
) -> FitFacts:
    """Fine-tune on ``examples`` and save network and tokenizer into ``folder``.

    ``targets`` ``(n, labels)`` in [0, 1] stand in place of the examples' labels.

    Checkpoints go to ``work``; if one is there, the run goes on from it. Seeded. Of several
    processes each has its share of every batch's rows, and the main one saves. With
    ``early_stopping_patience`` in the configuration, training stops when the loss on
    ``evaluation`` has not fallen for so many epochs, and the best weights are kept.
    """
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    arguments = training_arguments(config, work)
    set_seed(config.seed)
    model = _model(config, encoder, taxonomy)
    tokenizer = AutoTokenizer.from_pretrained(encoder.folder)
    tokenizer.model_max_length = config.input.max_length
    if is_main():
        tokenizer.save_pretrained(folder)
    wait_for_all()
    input_encoder = InputEncoder.load(folder, config.input.format)

    gold = label_matrix([e.labels for e in examples], taxonomy.labels)
    encoded = partial(EncodedRows, encoder=input_encoder, seed=config.seed)
    rows = encoded(
        examples,
        targets=gold.astype(np.float32) if targets is None else targets,
        context_dropout=config.input.context_dropout,
        previous_dropout=config.input.previous_dropout,
    )
    if config.encoder.definitions:
        head.start_at_definitions(
            model,
            input_encoder,
            taxonomy,
            rows=rows.windows[:HEAD_ROWS],
            prior=gold.mean(0),
        )
    loss = build_loss(config.loss, gold)

    stopping, watched = bool(config.early_stopping_patience and evaluation), None
    if stopping:
        unseen = label_matrix([e.labels for e in evaluation], taxonomy.labels)
        watched = encoded(evaluation, targets=unseen.astype(np.float32))
        arguments.eval_strategy = arguments.save_strategy = IntervalStrategy.EPOCH
        arguments.load_best_model_at_end = True
        arguments.metric_for_best_model, arguments.greater_is_better = "eval_loss", False

    def compute_loss(outputs: Any, labels: torch.Tensor, **_: Any) -> torch.Tensor:
        return loss(outputs["logits"], labels)

    trainer = ClauseTrainer(
        model=model,
        args=arguments,
        train_dataset=rows,
        data_collator=Collator(tokenizer.pad_token_id, _takes_segments(tokenizer)),
        compute_loss_func=compute_loss,
        callbacks=[
            _ShowEpoch(rows),
            *([EarlyStoppingCallback(config.early_stopping_patience)] if stopping else []),
        ],
        eval_dataset=watched,
        adversarial=config.loss.adversarial,
    )
    # Nor is it divided by the gradient accumulation steps: the Trainer has to.
    trainer.loss_is_scaled_for_ga = False
    checkpoint = get_last_checkpoint(str(work)) if work.is_dir() else None
    started = time.perf_counter()
    result = trainer.train(resume_from_checkpoint=checkpoint)
    seconds = time.perf_counter() - started
    if is_main():
        model.float().save_pretrained(folder)
    wait_for_all()
    return FitFacts(steps=result.global_step, seconds=seconds)


def _takes_segments(tokenizer: Any) -> bool:
    return "token_type_ids" in tokenizer.model_input_names


def _model(config: TrainConfig, encoder: Encoder, taxonomy: Taxonomy) -> Any:
    network = AutoConfig.from_pretrained(encoder.folder)
    for name in _INNER_DROPOUT:
        if hasattr(network, name):
            setattr(network, name, config.encoder.dropout)
    for name in _HEAD_DROPOUT:
        if hasattr(network, name):
            setattr(network, name, config.encoder.head_dropout)
    before = list(network.id2label.values())
    network.num_labels = len(taxonomy.labels)
    network.id2label = dict(enumerate(taxonomy.labels))
    network.label2id = {label: index for index, label in enumerate(taxonomy.labels)}
    network.problem_type = "multi_label_classification"
    if config.encoder.pooling == "mean" or config.encoder.definitions:
        head.check_family(network)
    if config.encoder.pooling == "mean":
        network.num_hidden_layers += 1
    try:
        model = AutoModelForSequenceClassification.from_pretrained(
            encoder.folder,
            config=network,
            attn_implementation=config.encoder.attention,
            dtype=torch.float32,
            # A fine-tuned folder's classifier, of other labels, gives way to a new one.
            ignore_mismatched_sizes=True,
        )
    except (ValueError, ImportError) as error:  # An attention that is not to be had, say.
        raise InputError(f"{config.encoder.name}: {' '.join(str(error).split())}") from None
    if len(before) == len(taxonomy.labels) and before != list(taxonomy.labels):
        head.start_anew(model)
    if config.encoder.pooling == "mean":
        head.start_at_mean_pooling(model)
    return model
