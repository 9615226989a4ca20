"""A fit in one stage or two: written examples beside the annotated rows, or before them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from clauselens.errors import InputError
from clauselens.evaluation.metrics import label_matrix
from clauselens.records import Example
from clauselens.storage import sha256_bytes
from clauselens.taxonomy import Taxonomy
from clauselens.training.arguments import training_arguments
from clauselens.training.config import TrainConfig
from clauselens.training.encoders import Encoder
from clauselens.training.finetune import FitFacts, fit
from clauselens.training.processes import is_main, wait_for_all
from clauselens.training.relabel import relabelled, relabelling_stage
from clauselens.training.scorer import Scorer

_KEPT = "pretrained-"


def fit_in_stages(
    config: TrainConfig,
    *,
    examples: Sequence[Example],
    written: Sequence[Example],
    taxonomy: Taxonomy,
    encoder: Encoder,
    folder: Path,
    work: Path,
    stages: Path,
    scorer: Scorer,
    evaluation: Sequence[Example] = (),
) -> FitFacts:
    """Fit on ``examples`` and ``written`` rows; network and tokenizer go into ``folder``.

    Without ``pretraining`` in the configuration, or without written rows, on all of them together;
    with ``relabelling``, ``scorer`` softens the targets of the written ones (``training.relabel``),
    which are kept in ``work`` beside the checkpoints.
    With ``pretraining``, first on the written rows alone, then from there on the examples and
    ``replay`` as many written rows, so that what these taught is not forgotten; without examples
    there is no second stage. What the first stage ends with is kept in ``stages`` and taken from
    there when it is the same again: folds that leave out different examples share it.
    """
    if not (config.pretraining and written):
        first, targets = FitFacts(steps=0, seconds=0.0), None
        if config.relabelling and examples and written:
            softened, first = relabelled(
                config,
                examples=examples,
                written=written,
                taxonomy=taxonomy,
                encoder=encoder,
                work=work,
                scorer=scorer,
            )
            gold = label_matrix([example.labels for example in examples], taxonomy.labels)
            targets = np.concatenate([gold.astype(np.float32), softened])
        last = fit(
            config,
            examples=[*examples, *written],
            evaluation=evaluation,
            taxonomy=taxonomy,
            encoder=encoder,
            folder=folder,
            work=work,
            targets=targets,
        )
        return FitFacts(steps=first.steps + last.steps, seconds=first.seconds + last.seconds)
    whole = repr((first_stage(config), encoder.sha256, list(written)))
    pretrained = stages / f"{_KEPT}{sha256_bytes(whole.encode())[:12]}"
    first = FitFacts(steps=0, seconds=0.0)
    if not pretrained.is_dir():
        first = _pretrain(config, written, taxonomy, encoder, pretrained)
    if not examples:
        if is_main():
            shutil.copytree(pretrained, folder, dirs_exist_ok=True)
        wait_for_all()
        return first
    drawn = np.random.default_rng(config.seed).permutation(len(written))
    replayed = [written[row] for row in drawn[: round(config.replay * len(examples))]]
    second = fit(
        # The head is in place: it goes on from where it is.
        replace(config, encoder=replace(config.encoder, pooling="first", definitions=False)),
        examples=[*examples, *replayed],
        evaluation=evaluation,
        taxonomy=taxonomy,
        encoder=replace(encoder, folder=pretrained),
        folder=folder,
        work=work,
    )
    return FitFacts(steps=first.steps + second.steps, seconds=first.seconds + second.seconds)


def check_trainer(config: TrainConfig, work: Path) -> None:
    """Raise InputError unless the arguments of every stage are ones that the Trainer takes."""
    training_arguments(config, work)
    for name, stage in (
        ("pretraining", first_stage(config)),
        ("relabelling", relabelling_stage(config)),
    ):
        try:
            training_arguments(stage, work)
        except InputError as error:
            raise InputError(f"{name}: {error}") from None


def forget(stages: Path) -> None:
    """Delete what first stages left in a folder."""
    for kept in stages.glob(f"{_KEPT}*"):
        shutil.rmtree(kept)


def _pretrain(
    config: TrainConfig,
    written: Sequence[Example],
    taxonomy: Taxonomy,
    encoder: Encoder,
    folder: Path,
) -> FitFacts:
    """The first stage; ``folder`` appears when it is complete, and goes on after a stop."""
    partial, work = (folder.with_name(f"{folder.name}.{end}") for end in ("partial", "work"))
    if is_main():
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
    wait_for_all()
    facts = fit(
        first_stage(config),
        examples=written,
        taxonomy=taxonomy,
        encoder=encoder,
        folder=partial,
        work=work,
    )
    if is_main():
        partial.rename(folder)
        shutil.rmtree(work, ignore_errors=True)
    wait_for_all()
    return facts


def first_stage(config: TrainConfig) -> TrainConfig:
    """The run on written rows alone."""
    return replace(
        config,
        trainer={**config.trainer, **config.pretraining},
        loss=replace(config.loss, adversarial=0.0),
        pretraining={},
        replay=0.0,
        early_stopping_patience=0,
    )
