#!/usr/bin/env python3
"""What annotating more would buy: F1 on unseen documents against what was annotated.

Every document is scored by models that were trained on some of the others: on so many whole
documents, and on such a share of their clauses. Near-duplicates of the held-out clauses are
removed as in leave-one-document-out. All fits take as many steps as the one with everything, so
that few rows are not few steps; a first stage is shared by them. Labels are cut at 0.5, since
thresholds cannot be learnt from one document. Fits are kept and not repeated. Writes curve.json
and curve.png.
"""

from __future__ import annotations

import argparse
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
from matplotlib.figure import Figure
from rich.progress import track

from clauselens.cli.model import score_examples
from clauselens.dataset.folds import Fold, fewer_rows, leave_one_document_out
from clauselens.dataset.rows import read_examples
from clauselens.errors import InputError
from clauselens.evaluation.bootstrap import Interval, draw_resamples, f1_draws, interval
from clauselens.evaluation.metrics import label_matrix
from clauselens.records import CLAUSE_KINDS, Example
from clauselens.storage import write_json
from clauselens.taxonomy import read_taxonomy
from clauselens.training.config import TrainConfig, read_train_config
from clauselens.training.crossval import out_of_fold
from clauselens.training.encoders import resolve_encoder
from clauselens.training.written import read_written

SHARES = (0.25,)
"""A quarter of four policies are about as many clauses as one policy has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """F1 with ``documents`` to learn from and ``share`` of their clauses; ``clauses`` on average
    over the folds.
    """

    documents: int
    share: float
    clauses: float
    micro_f1: Interval
    macro_f1: Interval


def main() -> None:
    """Fit what is missing, write the figures and the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", nargs="?", type=Path, default=Path("configs/minilm.yaml"))
    parser.add_argument("overrides", nargs="*", help="key=value, as for clauselens train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("models/learning-curve"))
    options = parser.parse_args()
    config = read_train_config(options.config, options.overrides)
    taxonomy = read_taxonomy(Path(config.taxonomy))
    examples = [
        e for e in read_examples(Path(config.data), taxonomy=taxonomy) if e.kind in CLAUSE_KINDS
    ]
    examples.sort(key=lambda example: (example.document_id, example.start))
    encoder = resolve_encoder(config.encoder)
    written = read_written(config.written, taxonomy=taxonomy, apart_from=examples)
    gold = label_matrix([example.labels for example in examples], taxonomy.labels)
    resamples = draw_resamples([(e.document_id, e.duplicate_group) for e in examples])
    folds = leave_one_document_out(examples)
    config = with_full_steps(config, folds, written)
    points: list[Point] = []
    for documents, share in track(grid(len(folds) - 1, written), description="points"):
        parts = [
            fewer_rows(fold, examples, documents=documents, share=share, seed=options.seed)
            for fold in folds
        ]
        found = out_of_fold(
            config,
            examples=examples,
            folds=parts,
            taxonomy=taxonomy,
            encoder=encoder,
            seed=options.seed,
            folder=options.out / "out-of-fold",
            scorer=score_examples,
            progress=lambda text: None,
            written=written,
        )
        f1 = f1_draws(gold, found.with_context > 0, resamples)
        points.append(
            Point(
                documents=documents,
                share=share,
                clauses=float(np.mean([len(part.train) for part in parts])),
                micro_f1=interval(f1.micro),
                macro_f1=interval(f1.macro),
            )
        )
        write_json(
            options.out / "curve.json",
            {
                "config": config.to_dict(),
                "seed": options.seed,
                "points": [asdict(each) for each in points],
            },
        )
    draw(points, options.out / "curve.png")
    print(f"{options.out}: curve.json, curve.png")


def grid(most: int, written: Sequence[Example]) -> list[tuple[int, float]]:
    """(documents, share of their clauses): whole documents, then parts of all of them."""
    least = 0 if written else 1
    return [*((count, 1.0) for count in range(least, most + 1)), *((most, s) for s in SHARES)]


def with_full_steps(
    config: TrainConfig, folds: Sequence[Fold], written: Sequence[Example]
) -> TrainConfig:
    """As many steps for all as the largest fold takes; a first stage keeps its own number."""
    annotated = max(len(fold.train) for fold in folds)
    rows = annotated + (config.replay * annotated if config.pretraining else len(written))
    batch = int(config.trainer.get("per_device_train_batch_size", 8))
    steps = round(math.ceil(rows / batch) * float(config.trainer.get("num_train_epochs", 3)))
    first = {"max_steps": -1, **config.pretraining} if config.pretraining else {}
    return replace(config, trainer={**config.trainer, "max_steps": steps}, pretraining=first)


def draw(points: Sequence[Point], path: Path) -> None:
    """Two panels: by whole documents, and by clauses of all documents."""
    most = max(point.documents for point in points)
    whole = [point for point in points if point.share == 1]
    parts = sorted((p for p in points if p.documents == most), key=lambda p: p.share)
    figure = Figure(figsize=(7.5, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, shown, x, label in (
        (left, whole, [p.documents for p in whole], "policies annotated"),
        (right, parts, [p.clauses for p in parts], f"clauses annotated, of {most} policies"),
    ):
        for name, colour in (("micro_f1", "#1f3a5f"), ("macro_f1", "#b3541e")):
            values = [getattr(p, name) for p in shown]
            axes.plot(
                x, [v.value for v in values], "o-", color=colour, label=name.replace("_f", "-F")
            )
            axes.fill_between(
                x, [v.low for v in values], [v.high for v in values], color=colour, alpha=0.15
            )
        axes.set_xlabel(label)
        axes.grid(axis="y", color="#e6e6e6")
    left.set_xticks([p.documents for p in whole])
    left.set_ylabel("F1 on an unseen policy, 95 % interval")
    left.legend(frameon=False)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
