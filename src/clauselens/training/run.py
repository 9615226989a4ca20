"""Training runs: fit, cut-offs, a sealed model folder that appears when it is complete."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clauselens.dataset.folds import Fold, group_folds
from clauselens.dataset.rows import clauses, read_examples
from clauselens.dataset.splits import with_validation
from clauselens.errors import InputError
from clauselens.evaluation.crossfit import fit_final
from clauselens.evaluation.metrics import Metrics, compute_metrics, label_matrix
from clauselens.evaluation.mistakes import Mistake, worst_mistakes
from clauselens.evaluation.scaling import Scaling
from clauselens.model.folder import (
    CARD,
    CHECKSUMS,
    DATA_MANIFEST,
    METRICS,
    TRAINING_CONFIG,
    seal,
    write_facts,
)
from clauselens.records import Example
from clauselens.storage import sha256_bytes, write_json, write_text
from clauselens.taxonomy import Taxonomy, read_taxonomy
from clauselens.training.card import render_card
from clauselens.training.config import TrainConfig
from clauselens.training.crossval import out_of_fold
from clauselens.training.encoders import Encoder, resolve_encoder
from clauselens.training.finetune import FitFacts
from clauselens.training.manifest import data_manifest, resolved_config
from clauselens.training.processes import is_main, wait_for_all
from clauselens.training.scorer import Scorer, seal_unfitted
from clauselens.training.stages import check_trainer, fit_in_stages
from clauselens.training.written import read_written

FAILURES = 5
"""Worst errors on a model card."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedRun:
    """What a finished run reports."""

    folder: Path
    train_rows: int
    tuned_on: str
    metrics: Metrics
    fit: FitFacts


def train(
    config: TrainConfig, out: Path, *, scorer: Scorer, overwrite: bool = False
) -> TrainedRun | None:
    """Train on the train split, fit thresholds, write ``out``.

    Thresholds come from the validation split, or with ``threshold_folds`` from out-of-fold scores
    inside the train split, which leaves validation untouched. The folder appears when it is
    complete; until then it grows beside it, with its checkpoints, and an interrupted run goes on
    from the last one. Of several processes (``accelerate launch``) all take part in fitting, the
    main one does the rest, and the others get None. Raises InputError before any work on bad
    data, configuration or encoder, and if ``out`` is there and not to be overwritten.
    """
    taxonomy, examples = read_input(config, out, overwrite=overwrite)
    if not config.threshold_folds and not clauses(examples, "validation"):
        examples = with_validation(examples, fraction=config.validation_fraction, seed=config.seed)
    rows, held_out = clauses(examples, "train"), clauses(examples, "validation")
    run = _Run(config, taxonomy, resolve_encoder(config.encoder), out)
    number = config.threshold_folds
    folds = group_folds(rows, number=number, seed=config.seed) if number else []
    # What is scored later, or on the way, keeps its likes among the written rows from teaching.
    scored = examples if config.threshold_folds else clauses(examples, "validation", "test")
    written = read_written(config.written, taxonomy=taxonomy, apart_from=scored)
    if config.threshold_folds:
        held_out = rows
        logits = run.out_of_fold(rows, written, folds=folds, scorer=scorer)
    facts = run.fit(
        rows, written, evaluation=() if config.threshold_folds else held_out, scorer=scorer
    )
    if not is_main():
        return None
    if not config.threshold_folds:
        seal_unfitted(run.partial, taxonomy=taxonomy, input_format=config.input.format)
        logits = scorer(run.partial, held_out, True)
    gold = label_matrix([example.labels for example in held_out], taxonomy.labels)
    # Calibration needs more rows than a validation split has: only out-of-fold scores are scaled.
    method = "platt" if config.threshold_folds else "none"
    scaling, thresholds = fit_final(gold, logits, method=method)
    scores = scaling.probabilities(logits)
    metrics = compute_metrics(gold, scores, thresholds, taxonomy.labels)
    run.describe(scaling=scaling, thresholds=thresholds)
    where = (
        f"out-of-fold scores of the train split ({config.threshold_folds} folds)"
        if config.threshold_folds
        else "validation split"
    )
    run.finish(
        seen={
            "train": rows,
            "written": written,
            "thresholds": [] if config.threshold_folds else held_out,
        },
        metrics={"protocol": f"{where}, on which the thresholds were fitted", **asdict(metrics)},
        failures=worst_mistakes(
            held_out, gold, scores, scores >= thresholds, taxonomy.labels, number=FAILURES
        ),
    )
    return TrainedRun(
        folder=out, train_rows=len(rows) + len(written), tuned_on=where, metrics=metrics, fit=facts
    )


def train_final(
    config: TrainConfig,
    out: Path,
    *,
    examples: Sequence[Example],
    scaling: Scaling,
    thresholds: NDArray[np.float64],
    metrics: Mapping[str, Any],
    table: str,
    failures: Sequence[Mistake],
    scorer: Scorer,
) -> FitFacts:
    """Train the model to ship on all ``examples``, with calibration and thresholds that were
    fitted out of fold. ``metrics``, the Markdown ``table`` and ``failures`` describe the recipe,
    and go into the folder.
    """
    taxonomy = read_taxonomy(Path(config.taxonomy))
    run = _Run(config, taxonomy, resolve_encoder(config.encoder), out)
    written = read_written(config.written, taxonomy=taxonomy)
    facts = run.fit(examples, written, evaluation=(), scorer=scorer)
    run.describe(scaling=scaling, thresholds=thresholds)
    run.finish(
        seen={"train": examples, "written": written},
        metrics=metrics,
        table=table,
        failures=failures,
    )
    return facts


def read_input(
    config: TrainConfig, out: Path, *, overwrite: bool
) -> tuple[Taxonomy, list[Example]]:
    """Label set and rows of a run. Raises InputError on bad ones, and as ``check_run``."""
    check_run(config, out, overwrite=overwrite)
    taxonomy = read_taxonomy(Path(config.taxonomy))
    return taxonomy, read_examples(Path(config.data), taxonomy=taxonomy)


def check_run(config: TrainConfig, out: Path, *, overwrite: bool) -> None:
    """Raise InputError on trainer arguments that are none, or if ``out`` is taken."""
    check_free(out, overwrite=overwrite)
    check_trainer(config, out)


def check_free(out: Path, *, overwrite: bool) -> None:
    """Raise InputError unless a model folder may be written at ``out``."""
    if out.exists() and not overwrite:
        raise InputError(f"{out}: already there; choose another --out or pass --overwrite")
    if out.exists() and not (out / CHECKSUMS).exists():
        raise InputError(f"{out}: there, but no model folder; not overwriting it")


class _Run:
    """A model folder in the making, beside the place where it will stand."""

    def __init__(
        self, config: TrainConfig, taxonomy: Taxonomy, encoder: Encoder, out: Path
    ) -> None:
        self._config = config
        self._taxonomy = taxonomy
        self._encoder = encoder
        self._out = out
        self.partial = out.with_name(f".{out.name}.partial")
        self._work = out.with_name(f".{out.name}.work")

    def fit(
        self,
        rows: Sequence[Example],
        written: Sequence[Example],
        *,
        evaluation: Sequence[Example],
        scorer: Scorer,
    ) -> FitFacts:
        self._start_or_resume(rows, written)
        return fit_in_stages(
            self._config,
            examples=rows,
            written=written,
            evaluation=evaluation,
            taxonomy=self._taxonomy,
            encoder=self._encoder,
            folder=self.partial,
            work=self._work / "checkpoints",
            stages=self._work / "out-of-fold",
            scorer=scorer,
        )

    def out_of_fold(
        self,
        rows: Sequence[Example],
        written: Sequence[Example],
        *,
        folds: Sequence[Fold],
        scorer: Scorer,
    ) -> NDArray[np.float64]:
        """Logits of ``rows`` from models that did not see them: ``(n, labels)``."""
        self._start_or_resume(rows, written)
        found = out_of_fold(
            self._config,
            examples=rows,
            folds=folds,
            taxonomy=self._taxonomy,
            encoder=self._encoder,
            seed=self._config.seed,
            folder=self._work / "out-of-fold",
            scorer=scorer,
            progress=lambda text: None,
            written=written,
        )
        return found.with_context

    def _start_or_resume(self, rows: Sequence[Example], written: Sequence[Example]) -> None:
        """Keep the checkpoints of an interrupted run of the same input, drop any other."""
        if not is_main():
            wait_for_all()
            return
        mark = self._work / "fingerprint"
        whole = repr((self._config, self._encoder.sha256, list(rows), list(written)))
        fingerprint = sha256_bytes(whole.encode())
        if not (mark.is_file() and mark.read_text() == fingerprint):
            shutil.rmtree(self._work, ignore_errors=True)
        shutil.rmtree(self.partial, ignore_errors=True)
        self.partial.mkdir(parents=True)
        self._work.mkdir(parents=True, exist_ok=True)
        mark.write_text(fingerprint)
        wait_for_all()

    def describe(self, *, scaling: Scaling, thresholds: NDArray[np.float64]) -> None:
        write_facts(
            self.partial,
            taxonomy=self._taxonomy,
            thresholds=thresholds,
            scaling=scaling,
            input_format=self._config.input.format,
        )
        self._scaling, self._thresholds = scaling, thresholds

    def finish(
        self,
        *,
        seen: Mapping[str, Sequence[Example]],
        metrics: Mapping[str, Any],
        failures: Sequence[Mistake],
        table: str = "",
    ) -> None:
        """Write the remaining files, seal the folder and move it to its place."""
        write_json(self.partial / TRAINING_CONFIG, resolved_config(self._config, self._encoder))
        write_json(self.partial / DATA_MANIFEST, data_manifest(self._config, self._taxonomy, seen))
        write_json(self.partial / METRICS, metrics)
        card = render_card(
            self._config,
            name=self._out.name,
            taxonomy=self._taxonomy,
            encoder=self._encoder,
            seen=seen,
            scaling=self._scaling,
            thresholds=self._thresholds,
            metrics=metrics,
            table=table,
            failures=failures,
        )
        write_text(self.partial / CARD, card)
        seal(self.partial)
        if self._out.exists():
            shutil.rmtree(self._out)
        self.partial.rename(self._out)
        shutil.rmtree(self._work, ignore_errors=True)
