"""Multi-label metrics from labels and scores. Numbers in, numbers out.

Conventions, everywhere in the package:

- An F1 is ``2 tp / (2 tp + fp + fn)``; where the denominator is 0 the value is 0 for a label that
  was wrongly given, and undefined (NaN) for a label that is neither there nor given.
- Empty label sets count: a row with no gold label and none predicted is an exact match and adds
  nothing to tp, fp and fn.
- A macro average runs over the labels that have at least ``min_support`` gold positives.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

BoolArray = NDArray[np.bool_]
FloatArray = NDArray[np.float64]

MIN_SUPPORT = 10
"""Labels with fewer gold positives have no score of their own in the headline."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMetrics:
    """Precision, recall, F1 in [0, 1]; ``average_precision`` needs no threshold."""

    label: str
    support: int
    predicted: int
    precision: float
    recall: float
    f1: float
    average_precision: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Scores of one system on ``rows`` rows. All in [0, 1]; Hamming loss is better when small."""

    rows: int
    micro_precision: float
    micro_recall: float
    micro_f1: float
    macro_f1: float
    macro_f1_all: float
    macro_labels: int
    weighted_f1: float
    exact_match: float
    hamming_loss: float
    ranking_average_precision: float
    labels: tuple[LabelMetrics, ...]


def label_matrix(rows: Sequence[Sequence[str]], labels: Sequence[str]) -> BoolArray:
    """Label sets as a boolean matrix, ``(n, labels)``. Raises KeyError on an unknown label."""
    column = {label: index for index, label in enumerate(labels)}
    matrix = np.zeros((len(rows), len(labels)), dtype=bool)
    for index, row in enumerate(rows):
        matrix[index, [column[label] for label in row]] = True
    return matrix


def counts(gold: BoolArray, predicted: BoolArray) -> NDArray[np.int64]:
    """True positives, false positives and false negatives per label: ``(3, labels)``."""
    return np.stack(
        [(gold & predicted).sum(0), (~gold & predicted).sum(0), (gold & ~predicted).sum(0)]
    ).astype(np.int64)


def f1_from_counts(tp: NDArray[Any], fp: NDArray[Any], fn: NDArray[Any]) -> FloatArray:
    """F1 elementwise; NaN where nothing is there and nothing was given."""
    denominator = 2 * tp + fp + fn
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(denominator > 0, 2 * tp / denominator, np.nan)


def compute_metrics(
    gold: BoolArray,
    scores: FloatArray,
    thresholds: FloatArray,
    labels: Sequence[str],
    *,
    min_support: int = MIN_SUPPORT,
) -> Metrics:
    """Score ``scores >= thresholds`` against ``gold``.

    ``gold`` and ``scores``: ``(n, labels)``; ``thresholds``: ``(labels,)``.
    """
    if gold.shape != scores.shape or gold.shape[1] != len(labels):
        raise ValueError(
            f"gold {gold.shape}, scores {scores.shape} and {len(labels)} labels differ"
        )
    predicted = scores >= thresholds
    tp, fp, fn = counts(gold, predicted)
    support, given = tp + fn, tp + fp
    f1 = f1_from_counts(tp, fp, fn)
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(given > 0, tp / given, np.nan)
        recall = np.where(support > 0, tp / support, np.nan)
    frequent = support >= min_support
    present = support > 0
    micro = counts(gold, predicted).sum(1)
    return Metrics(
        rows=len(gold),
        micro_precision=_ratio(micro[0], micro[0] + micro[1]),
        micro_recall=_ratio(micro[0], micro[0] + micro[2]),
        micro_f1=_ratio(2 * micro[0], 2 * micro[0] + micro[1] + micro[2]),
        macro_f1=_mean(f1[frequent]),
        macro_f1_all=_mean(f1[present]),
        macro_labels=int(frequent.sum()),
        weighted_f1=_ratio(float((f1[present] * support[present]).sum()), float(support.sum())),
        exact_match=_mean((gold == predicted).all(1)),
        hamming_loss=_mean(gold != predicted),
        ranking_average_precision=_ranking_precision(gold, scores),
        labels=tuple(
            LabelMetrics(
                label=label,
                support=int(support[j]),
                predicted=int(given[j]),
                precision=float(precision[j]),
                recall=float(recall[j]),
                f1=float(f1[j]),
                average_precision=(
                    float(average_precision_score(gold[:, j], scores[:, j]))
                    if support[j]
                    else float("nan")
                ),
            )
            for j, label in enumerate(labels)
        ),
    )


def ranking_precision_rows(gold: BoolArray, scores: FloatArray) -> FloatArray:
    """Label-ranking average precision of each row, ``(n,)``: for each gold label, the share of
    gold among the labels ranked at or above it; NaN for a row without gold labels.
    """
    at_or_above = scores[:, None, :] >= scores[:, :, None]
    rank = at_or_above.sum(2)
    hits = (at_or_above & gold[:, None, :]).sum(2)
    labels = gold.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        result: FloatArray = np.where(
            labels > 0, np.where(gold, hits / rank, 0).sum(1) / labels, np.nan
        )
    return result


def _ranking_precision(gold: BoolArray, scores: FloatArray) -> float:
    # Undefined for a row without labels: such rows are left out, not counted as perfect.
    labelled = gold.any(1)
    return _mean(ranking_precision_rows(gold[labelled], scores[labelled]))


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _mean(values: NDArray[Any]) -> float:
    return float(values.mean()) if values.size else float("nan")
