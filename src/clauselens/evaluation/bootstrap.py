"""Confidence intervals by the cluster bootstrap.

Rows that share a document and a near-duplicate group are not independent, so whole clusters are
drawn with replacement (Field and Welsh 2007, "Bootstrapping clustered data"). Intervals are
percentiles, and conditional on the documents at hand. All systems share the resamples, which
makes the interval of a difference a paired one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from clauselens.evaluation.metrics import MIN_SUPPORT, BoolArray, FloatArray, f1_from_counts

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with the bounds of its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Resamples:
    """Shared draws: ``weights[b, c]`` is how often cluster ``c`` was drawn in resample ``b``,
    ``cluster[i]`` the cluster of row ``i``.
    """

    weights: NDArray[np.int64]
    cluster: NDArray[np.int64]

    @property
    def row_weights(self) -> NDArray[np.int64]:
        """How often each row was drawn: ``(resamples, n)``."""
        return self.weights[:, self.cluster]


def draw_resamples(
    clusters: Sequence[Hashable], *, seed: int = 0, resamples: int = RESAMPLES
) -> Resamples:
    """Draw clusters with replacement, as many as there are. One key per row."""
    index: dict[Hashable, int] = {}
    cluster = np.array([index.setdefault(key, len(index)) for key in clusters], dtype=np.int64)
    draws = np.random.default_rng(seed).multinomial(
        len(index), np.full(len(index), 1 / len(index)), size=resamples
    )
    return Resamples(draws.astype(np.int64), cluster)


@dataclass(frozen=True, slots=True)
class F1Draws:
    """F1 of one system on the rows as they are (index 0) and in every resample (1 …).

    ``micro``, ``macro`` and ``macro_all``: ``(1 + resamples,)``; ``per_label``:
    ``(1 + resamples, labels)``.
    """

    micro: FloatArray
    macro: FloatArray
    macro_all: FloatArray
    per_label: FloatArray


def f1_draws(
    gold: BoolArray, predicted: BoolArray, resamples: Resamples, *, min_support: int = MIN_SUPPORT
) -> F1Draws:
    """F1 in every resample. The labels of the macro average are those with ``min_support``
    positives in the rows as they are, in all resamples alike.
    """
    clusters = resamples.weights.shape[1]
    totals = np.zeros((3, clusters, gold.shape[1]))
    for part, hits in enumerate((gold & predicted, ~gold & predicted, gold & ~predicted)):
        np.add.at(totals[part], resamples.cluster, hits)
    weights = np.vstack([np.ones((1, clusters)), resamples.weights])
    tp, fp, fn = (weights @ part for part in totals)
    per_label = f1_from_counts(tp, fp, fn)
    support = gold.sum(0)
    return F1Draws(
        micro=f1_from_counts(tp.sum(1), fp.sum(1), fn.sum(1)),
        macro=_macro(per_label[:, support >= min_support]),
        macro_all=_macro(per_label[:, support > 0]),
        per_label=per_label,
    )


def _macro(per_label: FloatArray) -> FloatArray:
    """The mean over labels; one that is missing from a resample has no F1 there."""
    defined = np.isfinite(per_label).sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean: FloatArray = np.where(defined > 0, np.nansum(per_label, 1) / defined, np.nan)
    return mean


def cluster_means(values: FloatArray, resamples: Resamples) -> FloatArray:
    """Means over rows, ``(1 + resamples, ...)``, of ``values`` ``(n, ...)``: one figure a row."""
    clusters = resamples.weights.shape[1]
    sums = np.zeros((clusters, *values.shape[1:]))
    np.add.at(sums, resamples.cluster, values)
    sizes = np.bincount(resamples.cluster, minlength=clusters)
    weights = np.vstack([np.ones((1, clusters)), resamples.weights])
    totals = weights @ sums
    drawn = weights @ sizes
    result: FloatArray = totals / drawn.reshape(-1, *[1] * (values.ndim - 1))
    return result


def interval(draws: FloatArray) -> Interval:
    """The value (index 0) with the percentile interval of the resamples behind it."""
    tail = (1 - LEVEL) / 2
    rest = draws[1:][np.isfinite(draws[1:])]
    if not rest.size:
        return Interval(value=float(draws[0]), low=float("nan"), high=float("nan"))
    low, high = np.quantile(rest, [tail, 1 - tail])
    return Interval(value=float(draws[0]), low=float(low), high=float(high))


def difference(first: FloatArray, second: FloatArray) -> Interval:
    """The paired interval of ``first - second``, from draws over the same resamples."""
    return interval(first - second)
