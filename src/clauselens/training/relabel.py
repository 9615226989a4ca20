"""Softer targets for written rows: their writers' labels, and what the annotators would say.

Writers draw a category's line otherwise than the annotators of a dataset do. A model fitted on the
annotated rows alone knows the annotators' line, if from few rows. The written rows teach the mean
of both (Li et al. 2017, "Learning from Noisy Labels with Distillation").
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from clauselens.evaluation.metrics import label_matrix
from clauselens.records import Example
from clauselens.taxonomy import Taxonomy
from clauselens.training.config import TrainConfig
from clauselens.training.encoders import Encoder
from clauselens.training.finetune import FitFacts, fit
from clauselens.training.processes import is_main, wait_for_all
from clauselens.training.scorer import Scorer, seal_unfitted

SHARE = 0.5
"""What the model's probabilities are of a written row's targets; its labels are the rest."""


def relabelling_stage(config: TrainConfig) -> TrainConfig:
    """The run that makes the model which scores the written rows."""
    return replace(
        config,
        trainer={**config.trainer, **config.relabelling},
        loss=replace(config.loss, adversarial=0.0),
        relabelling={},
        early_stopping_patience=0,
    )


def relabelled(
    config: TrainConfig,
    *,
    examples: Sequence[Example],
    written: Sequence[Example],
    taxonomy: Taxonomy,
    encoder: Encoder,
    work: Path,
    scorer: Scorer,
) -> tuple[NDArray[np.float32], FitFacts]:
    """Targets of the written rows, ``(n, labels)`` in [0, 1]; ``examples`` have to be without
    what is held out. They are kept in ``work`` and taken from there after a stop.
    """
    kept, model = work / "relabelled.npy", work / "relabelling"
    facts = FitFacts(steps=0, seconds=0.0)
    if not kept.is_file():
        if is_main():
            shutil.rmtree(model, ignore_errors=True)
            model.mkdir(parents=True)
        wait_for_all()
        stage = relabelling_stage(config)
        facts = fit(
            stage,
            examples=examples,
            taxonomy=taxonomy,
            encoder=encoder,
            folder=model,
            work=work / "relabelling-checkpoints",
        )
        if is_main():
            seal_unfitted(model, taxonomy=taxonomy, input_format=config.input.format)
            labels = label_matrix([row.labels for row in written], taxonomy.labels)
            probabilities = expit(scorer(model, written, True))
            targets = SHARE * probabilities + (1 - SHARE) * labels
            partial = work / "relabelled.partial.npy"
            np.save(partial, targets.astype(np.float32))
            partial.rename(kept)
            shutil.rmtree(model)
        wait_for_all()
    found: NDArray[np.float32] = np.load(kept, allow_pickle=False)
    return found, facts
