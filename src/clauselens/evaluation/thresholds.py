"""Cut-offs that turn scores into labels."""

from __future__ import annotations

import numpy as np

from clauselens.evaluation.metrics import BoolArray, FloatArray, f1_from_counts

MIN_POSITIVES = 10
"""A label with fewer positives uses the global threshold."""

SHRINKAGE = 200.0
"""Positives at which a label's own optimum and the global threshold weigh the same."""

RESAMPLES = 50
"""Resamples of the rows over which an optimum is averaged."""


def fit_thresholds(gold: BoolArray, scores: FloatArray) -> FloatArray:
    """Thresholds per label, ``(labels,)``, from scores of rows that the model did not see.

    The global threshold maximises micro-F1. A label's own optimum of F1 is shrunk towards it by
    ``n / (n + SHRINKAGE)`` for ``n`` positives: cut-offs tuned on few positives overfit (Lipton,
    Elkan and Narayanaswamy 2014, "Optimal thresholding of classifiers to maximize F1"). F1 is
    flat and jagged around its best cut, so an optimum is the mean over bootstrap resamples of
    the rows (Breiman 1996, "Bagging predictors"), drawn with a fixed seed.
    """
    rows, labels = gold.shape
    if not rows:
        return np.full(labels, 0.5)
    generator = np.random.default_rng(0)
    draws = [generator.integers(0, rows, rows) for _ in range(RESAMPLES)]

    def mean_best(columns: slice) -> float:
        return float(
            np.mean(
                [
                    best_threshold(gold[draw, columns].ravel(), scores[draw, columns].ravel())
                    for draw in draws
                ]
            )
        )

    common = mean_best(slice(None))
    thresholds = np.full(labels, common)
    for j in range(labels):
        positives = int(gold[:, j].sum())
        if positives >= MIN_POSITIVES:
            weight = positives / (positives + SHRINKAGE)
            thresholds[j] = weight * mean_best(slice(j, j + 1)) + (1 - weight) * common
    return thresholds


def best_threshold(gold: BoolArray, scores: FloatArray) -> float:
    """The cut-off with the highest F1 of ``scores >= cut-off``; 0.5 without positives.

    Lies midway between two neighbouring scores, so that it does not hang on one of them. Among
    equal optima, the one nearest 0.5. ``gold`` and ``scores``: ``(n,)``.
    """
    if not gold.any():
        return 0.5
    order = np.argsort(-scores, kind="stable")
    ranked, hits = scores[order], gold[order]
    tp = np.cumsum(hits)
    fp = np.cumsum(~hits)
    f1 = f1_from_counts(tp, fp, gold.sum() - tp)
    # A cut can only fall between two different scores.
    last = np.append(ranked[:-1] != ranked[1:], True)
    below = np.append(ranked[1:], 0.0)
    cuts = (ranked + below) / 2
    best = np.flatnonzero(last & (f1 >= f1[last].max() - 1e-12))
    return float(cuts[best[np.argmin(np.abs(cuts[best] - 0.5))]])
