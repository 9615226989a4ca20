"""Pictures of an evaluation: numbers in, PNG files out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from clauselens.evaluation.bootstrap import Interval
from clauselens.evaluation.figures import BINS
from clauselens.evaluation.metrics import MIN_SUPPORT, BoolArray, FloatArray

DPI = 130
_INK = "#1f3a5f"
_FAINT = "#b9c4d0"

mpl.rcParams.update({"font.size": 9, "axes.spines.top": False, "axes.spines.right": False})


def plot_label_f1(
    path: Path, labels: Sequence[str], support: NDArray[np.int64], f1: Sequence[Interval]
) -> None:
    """F1 of each label with its interval, in the order of support; rare labels are faint."""
    order = np.argsort(support, kind="stable")
    figure = Figure(figsize=(7, 0.28 * len(labels) + 1.2), layout="constrained")
    axes = figure.subplots()
    for place, j in enumerate(order):
        colour = _INK if support[j] >= MIN_SUPPORT else _FAINT
        value = f1[j]
        if not np.isfinite(value.value):
            continue
        axes.plot([value.low, value.high], [place, place], color=colour, linewidth=2, alpha=0.5)
        axes.plot(value.value, place, "o", color=colour, markersize=5)
    axes.set_yticks(range(len(labels)), [f"{labels[j]} ({support[j]})" for j in order])
    axes.set_xlim(0, 1.02)
    axes.set_xlabel(f"F1 with 95 % interval (faint: fewer than {MIN_SUPPORT} positives)")
    axes.grid(axis="x", color="#e6e6e6")
    figure.savefig(path, dpi=DPI)


def plot_precision_recall(
    path: Path, labels: Sequence[str], gold: BoolArray, probabilities: FloatArray
) -> None:
    """One small precision-recall curve for each label with enough positives."""
    shown = [j for j in range(len(labels)) if gold[:, j].sum() >= MIN_SUPPORT]
    columns = 4
    lines = max(1, -(-len(shown) // columns))
    figure = Figure(figsize=(9, 1.9 * lines + 0.4), layout="constrained")
    grid = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    for axes in grid.ravel()[len(shown) :]:
        axes.set_visible(False)
    for axes, j in zip(grid.ravel(), shown, strict=False):
        precision, recall, _ = precision_recall_curve(gold[:, j], probabilities[:, j])
        axes.step(recall, precision, where="post", color=_INK)
        axes.axhline(gold[:, j].mean(), color=_FAINT, linewidth=1)
        axes.set_title(labels[j], fontsize=8)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.03)
    figure.supxlabel("recall")
    figure.supylabel("precision (grey: share of positives)")
    figure.savefig(path, dpi=DPI)


def plot_calibration(path: Path, gold: BoolArray, probabilities: FloatArray) -> None:
    """Share of positives against probability, pooled over labels, in bins of equal width; below,
    how many cells each bin holds (on a log scale).
    """
    edges = np.linspace(0, 1, BINS + 1)
    bins = np.clip(np.digitize(probabilities.ravel(), edges) - 1, 0, BINS - 1)
    counts = np.bincount(bins, minlength=BINS)
    full = counts > 0
    means, shares = (
        np.bincount(bins, values.ravel().astype(float), minlength=BINS)[full] / counts[full]
        for values in (probabilities, gold)
    )
    figure = Figure(figsize=(4.6, 5), layout="constrained")
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], color=_FAINT)
    upper.plot(means, shares, "o-", color=_INK, markersize=4)
    upper.set_ylabel("share of positives")
    lower.bar(edges[:-1], counts, width=1 / BINS, align="edge", color=_FAINT, edgecolor="white")
    lower.set_yscale("log")
    lower.set_ylabel("cells")
    lower.set_xlabel("probability")
    figure.savefig(path, dpi=DPI)


def plot_confusion(
    path: Path, labels: Sequence[str], gold: BoolArray, predicted: BoolArray
) -> None:
    """Which label was given instead: for each label that was missed, the wrong ones in the row.

    A cell is the share of the gold label's clauses where it was missed and the other was wrongly
    given; the last column where nothing wrong was given in its place.
    """
    missed, wrong = gold & ~predicted, ~gold & predicted
    support = np.maximum(gold.sum(0), 1)[:, None]
    instead = missed.T.astype(float) @ wrong / support
    nothing = (missed & ~wrong.any(1, keepdims=True)).sum(0)[:, None] / support
    _matrix(
        path,
        np.hstack([instead, nothing]),
        labels,
        [*labels, "(nothing)"],
        "given instead",
        "missed (share of its clauses)",
    )


def plot_cooccurrence(path: Path, labels: Sequence[str], gold: BoolArray) -> None:
    """Share of the clauses of the label in the row that carry the label in the column too."""
    together = gold.T.astype(float) @ gold
    share = together / np.maximum(np.diag(together), 1)[:, None]
    np.fill_diagonal(share, 0)
    _matrix(path, share, labels, labels, "carry this label too", "of the clauses with this label")


def _matrix(
    path: Path,
    values: FloatArray,
    rows: Sequence[str],
    columns: Sequence[str],
    across: str,
    down: str,
) -> None:
    figure = Figure(figsize=(8.4, 7.4), layout="constrained")
    axes = figure.subplots()
    axes.imshow(values, cmap="Blues", vmin=0, vmax=max(0.3, float(values.max())))
    axes.set_xticks(range(len(columns)), columns, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(rows)), rows)
    for i, j in zip(*np.nonzero(values >= 0.05), strict=True):
        dark = values[i, j] > 0.6 * max(0.3, float(values.max()))
        axes.text(
            j,
            i,
            f"{values[i, j]:.2f}".lstrip("0"),
            ha="center",
            va="center",
            fontsize=6,
            color="white" if dark else _INK,
        )
    axes.set_xlabel(across)
    axes.set_ylabel(down)
    figure.savefig(path, dpi=DPI)
