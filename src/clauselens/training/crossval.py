"""Out-of-fold logits, kept with ids: one fit for each fold and seed."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clauselens.dataset.folds import Fold
from clauselens.records import Example
from clauselens.storage import read_jsonl, sha256_bytes, write_jsonl
from clauselens.taxonomy import Taxonomy
from clauselens.training.config import TrainConfig
from clauselens.training.encoders import Encoder
from clauselens.training.processes import is_main, wait_for_all
from clauselens.training.scorer import Scorer, seal_unfitted
from clauselens.training.stages import fit_in_stages


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """Out-of-fold logits of one seed: ``with_context`` and ``bare``, both ``(n, labels)``."""

    seed: int
    with_context: NDArray[np.float64]
    bare: NDArray[np.float64]


def out_of_fold(
    config: TrainConfig,
    *,
    examples: Sequence[Example],
    folds: Sequence[Fold],
    taxonomy: Taxonomy,
    encoder: Encoder,
    seed: int,
    folder: Path,
    scorer: Scorer,
    progress: Callable[[str], None],
    written: Sequence[Example],
) -> OutOfFold:
    """Fit and score every fold of one seed; epochs are fixed, nothing stops early.

    ``written`` rows teach in every fold, so they have to be apart from all examples. The logits of
    a finished fold stay in ``folder`` and are not computed again; so does a first stage, which the
    folds share and the caller may delete (``training.stages.forget``).
    """
    config = replace(config, seed=seed)
    shape = (len(examples), len(taxonomy.labels))
    with_context, bare = np.full(shape, np.nan), np.full(shape, np.nan)
    for fold in folds:
        held_out = [examples[index] for index in fold.held_out]
        rows = [examples[index] for index in fold.train]
        whole = repr((config, encoder.sha256, rows, written, held_out))
        print_ = sha256_bytes(whole.encode())
        kept = folder / f"seed-{seed}-{fold.document}-{print_[:12]}.jsonl"
        if not kept.is_file():
            progress(f"seed {seed}, {fold.document}: {len(rows)} rows, {len(written)} written")
            _fit_and_score(
                config,
                rows=rows,
                written=written,
                held_out=held_out,
                taxonomy=taxonomy,
                encoder=encoder,
                work=folder / "work",
                stages=folder,
                scorer=scorer,
                kept=kept,
            )
        scored = [row for _, row in read_jsonl(kept)]
        with_context[list(fold.held_out)] = [row["with_context"] for row in scored]
        bare[list(fold.held_out)] = [row["bare"] for row in scored]
    return OutOfFold(seed=seed, with_context=with_context, bare=bare)


def _fit_and_score(
    config: TrainConfig,
    *,
    rows: Sequence[Example],
    written: Sequence[Example],
    held_out: Sequence[Example],
    taxonomy: Taxonomy,
    encoder: Encoder,
    work: Path,
    stages: Path,
    scorer: Scorer,
    kept: Path,
) -> None:
    """Fit on ``rows`` and ``written`` ones, write the logits of ``held_out`` to ``kept``."""
    model = work / "model"
    if is_main():
        shutil.rmtree(work, ignore_errors=True)
        model.mkdir(parents=True)
    wait_for_all()
    fit_in_stages(
        config,
        examples=rows,
        written=written,
        taxonomy=taxonomy,
        encoder=encoder,
        folder=model,
        work=work / "checkpoints",
        stages=stages,
        scorer=scorer,
    )
    if is_main():
        seal_unfitted(model, taxonomy=taxonomy, input_format=config.input.format)
        found = zip(
            held_out, scorer(model, held_out, True), scorer(model, held_out, False), strict=True
        )
        write_jsonl(
            kept,
            (
                {"id": example.id, "with_context": full.tolist(), "bare": bare.tolist()}
                for example, full, bare in found
            ),
        )
        shutil.rmtree(work)
    wait_for_all()
