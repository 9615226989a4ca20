"""Every figure of a system, on the rows as they are and in every bootstrap resample.

All arrays of draws have the value itself at index 0 and the resamples behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from clauselens.evaluation.bootstrap import F1Draws, Resamples, cluster_means, f1_draws
from clauselens.evaluation.metrics import BoolArray, FloatArray, ranking_precision_rows

BINS = 10
"""Equal-mass bins of the calibration error."""

_CHUNK = 200
"""Resamples that are ranked together, to bound memory."""


@dataclass(frozen=True, slots=True)
class Figures:
    """``overall``: a name to draws ``(1 + resamples,)``; ``labels``: to draws for each label."""

    overall: Mapping[str, FloatArray]
    labels: Mapping[str, FloatArray]


def figures(
    gold: BoolArray,
    scores: FloatArray,
    thresholds: FloatArray,
    resamples: Resamples,
    *,
    prior: FloatArray | None = None,
) -> Figures:
    """All figures of one run.

    ``gold`` and ``scores`` ``(n, labels)``; ``thresholds`` and ``prior`` broadcast to them. With
    ``prior``, the label shares known without these rows, also Brier skill and calibration error.
    """
    predicted = scores >= thresholds
    f1 = f1_draws(gold, predicted, resamples)
    labelled = gold.any(1)
    ranking = ranking_precision_rows(gold, scores)
    overall = {
        "micro_f1": f1.micro,
        "macro_f1": f1.macro,
        "macro_f1_all": f1.macro_all,
        "weighted_f1": _weighted(f1, gold),
        "exact_match": cluster_means((gold == predicted).all(1).astype(float), resamples),
        "hamming_loss": cluster_means((gold != predicted).mean(1), resamples),
        "ranking_average_precision": cluster_means(np.where(labelled, ranking, 0.0), resamples)
        / cluster_means(labelled.astype(float), resamples),
    }
    labels = {"f1": f1.per_label, "average_precision": _average_precision(gold, scores, resamples)}
    if prior is not None:
        ours = cluster_means(np.square(scores - gold), resamples)
        theirs = cluster_means(np.square(prior - gold), resamples)
        with np.errstate(invalid="ignore", divide="ignore"):
            labels["brier_skill"] = np.where(theirs > 0, 1 - ours / theirs, np.nan)
        labels["calibration_error"] = _calibration_error(gold, scores, resamples)
    return Figures(overall, labels)


def mean_figures(runs: list[Figures]) -> Figures:
    """The mean over several runs (seeds) on the same rows and resamples."""
    return Figures(
        {name: np.mean([run.overall[name] for run in runs], axis=0) for name in runs[0].overall},
        {name: np.mean([run.labels[name] for run in runs], axis=0) for name in runs[0].labels},
    )


def _weighted(f1: F1Draws, gold: BoolArray) -> FloatArray:
    support = gold.sum(0)
    present = support > 0
    values = np.nan_to_num(f1.per_label[:, present])
    result: FloatArray = values @ support[present] / max(int(support.sum()), 1)
    return result


def _average_precision(gold: BoolArray, scores: FloatArray, resamples: Resamples) -> FloatArray:
    """Weighted average precision per label, ties taken together as scikit-learn takes them."""
    weights = np.vstack([np.ones((1, len(gold)), dtype=np.int64), resamples.row_weights])
    result = np.full((len(weights), gold.shape[1]), np.nan)
    for j in np.flatnonzero(gold.any(0)):
        order = np.argsort(-scores[:, j], kind="stable")
        ranked = scores[order, j]
        last = np.searchsorted(-ranked, -ranked, side="right") - 1
        for start in range(0, len(weights), _CHUNK):
            part = slice(start, start + _CHUNK)
            given = weights[part][:, order].astype(float)
            hits = given * gold[order, j]
            total = hits.sum(1)
            precision = np.cumsum(hits, 1)[:, last] / np.maximum(np.cumsum(given, 1)[:, last], 1)
            with np.errstate(invalid="ignore"):
                result[part, j] = np.where(total > 0, (hits * precision).sum(1) / total, np.nan)
    return result


def _calibration_error(gold: BoolArray, scores: FloatArray, resamples: Resamples) -> FloatArray:
    """Expected calibration error per label over bins of equal mass (Nixon et al. 2019), which are
    fixed on the rows as they are. Per label, since pooled over labels even the prior looks
    calibrated.
    """
    result = np.zeros((1 + len(resamples.weights), gold.shape[1]))
    for j in range(gold.shape[1]):
        order = np.argsort(scores[:, j], kind="stable")
        for part in np.array_split(order, BINS):
            gap = np.zeros(len(gold))
            gap[part] = scores[part, j] - gold[part, j]
            result[:, j] += np.abs(cluster_means(gap, resamples))
    return result
