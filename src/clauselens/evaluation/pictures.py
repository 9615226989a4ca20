"""The pictures of a report, and what each says in words for those who do not see it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clauselens.evaluation.metrics import MIN_SUPPORT, BoolArray, FloatArray
from clauselens.evaluation.notation import number
from clauselens.evaluation.plots import (
    plot_calibration,
    plot_confusion,
    plot_cooccurrence,
    plot_label_f1,
    plot_precision_recall,
)
from clauselens.evaluation.report import Report
from clauselens.evaluation.scored import ScoredRows

_NAMED = 3
"""How many of the greatest cells a text alternative names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A PNG file beside the report, its title, and its content in words."""

    file: str
    title: str
    alternative: str


def draw_pictures(folder: Path, report: Report, scored: ScoredRows) -> list[Picture]:
    """Draw the pictures of the first system of ``report`` into ``folder``."""
    labels, gold = scored.labels, scored.gold
    f1 = [report.systems[0].labels[label]["f1"] for label in labels]
    plot_label_f1(folder / "label-f1.png", labels, gold.sum(0), f1)
    plot_precision_recall(folder / "precision-recall.png", labels, gold, scored.scores)
    plot_calibration(folder / "calibration.png", gold, scored.scores)
    plot_confusion(folder / "confusion.png", labels, gold, scored.predicted)
    plot_cooccurrence(folder / "co-occurrence.png", labels, gold)
    return [
        Picture(
            file="label-f1.png",
            title="F1 by label, with 95 % intervals",
            alternative="F1 of each label as a dot on a line for its interval, rarest label first; "
            "the table by label holds the same figures.",
        ),
        Picture(
            file="precision-recall.png",
            title="Precision against recall",
            alternative=_precision_recall(report),
        ),
        Picture(
            file="calibration.png",
            title="Calibration: share of positives against score",
            alternative=_calibration(gold, scored.scores),
        ),
        Picture(
            file="confusion.png",
            title="Which label was given instead of one that was missed",
            alternative=_confusion(scored),
        ),
        Picture(
            file="co-occurrence.png",
            title="Labels that stand together in the gold",
            alternative=_cooccurrence(scored),
        ),
    ]


def _precision_recall(report: Report) -> str:
    figures = report.systems[0].labels
    ranked = sorted(
        (-figures[label]["average_precision"].value, label)
        for label, support in report.support.items()
        if support >= MIN_SUPPORT
    )
    text = f"One step curve for each of the {len(ranked)} labels with {MIN_SUPPORT} positives."
    if ranked:
        (best, first), (worst, last) = ranked[0], ranked[-1]
        text += (
            f" Average precision is highest for {first} ({number(-best)}) and lowest for {last} "
            f"({number(-worst)}); all are in the table by label."
        )
    return text


def _calibration(gold: BoolArray, scores: FloatArray) -> str:
    parts = [
        f"of the cells with a score from {low:.1f} to {low + 0.2:.1f}, "
        f"{gold[inside].mean():.0%} are positive"
        for low in (0.0, 0.2, 0.4, 0.6, 0.8)
        if (inside := (scores >= low) & ((scores < low + 0.2) | (low == 0.8))).any()
    ]
    return "All labels pooled: " + "; ".join(parts) + "."


def _confusion(scored: ScoredRows) -> str:
    missed, wrong = scored.gold & ~scored.predicted, ~scored.gold & scored.predicted
    instead = missed.T.astype(int) @ wrong.astype(int)
    named = _greatest(instead, scored.labels, "{down} missed and {across} given in {value} rows")
    return (
        f"A matrix of missed labels by labels wrongly given. {int(missed.sum())} labels were "
        f"missed, {int((missed & ~wrong.any(1, keepdims=True)).sum())} of them in rows where "
        f"nothing wrong was given. {named}"
    )


def _cooccurrence(scored: ScoredRows) -> str:
    together = scored.gold.T.astype(int) @ scored.gold.astype(int)
    named = _greatest(np.triu(together, 1), scored.labels, "{down} with {across} in {value} rows")
    return f"A matrix of pairs of gold labels. {named}"


def _greatest(cells: np.ndarray, labels: tuple[str, ...], sentence: str) -> str:
    """The greatest cells in words; of equals, the one that stands first."""
    order = np.argsort(-cells, axis=None, kind="stable")[:_NAMED]
    places = [divmod(int(place), cells.shape[1]) for place in order]
    parts = [
        sentence.format(down=labels[i], across=labels[j], value=int(cells[i, j]))
        for i, j in places
        if cells[i, j]
    ]
    return f"Most often: {'; '.join(parts)}." if parts else "No pair occurs."
