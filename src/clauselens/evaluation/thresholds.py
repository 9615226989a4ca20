"""Cut-offs that turn scores into labels."""

from __future__ import annotations

import numpy as np

from clauselens.evaluation.metrics import BoolArray, FloatArray, f1_from_counts

MIN_POSITIVES = 10
"""A label with fewer positives uses the global threshold."""

SHRINKAGE = 60.0
"""Positives at which a label's own optimum and the global threshold weigh the same."""


def fit_thresholds(gold: BoolArray, scores: FloatArray) -> FloatArray:
    """Thresholds per label, ``(labels,)``, from scores of rows that the model did not see.

    The global threshold maximises micro-F1. A label's own optimum of F1 is shrunk towards it by
    ``n / (n + SHRINKAGE)`` for ``n`` positives: cut-offs tuned on few positives overfit (Lipton,
    Elkan and Narayanaswamy 2014, "Optimal thresholding of classifiers to maximize F1").
    """
    common = best_threshold(gold.ravel(), scores.ravel())
    thresholds = np.full(gold.shape[1], common)
    for j in range(gold.shape[1]):
        positives = int(gold[:, j].sum())
        if positives >= MIN_POSITIVES:
            weight = positives / (positives + SHRINKAGE)
            own = best_threshold(gold[:, j], scores[:, j])
            thresholds[j] = weight * own + (1 - weight) * common
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
