"""Thresholds and calibration without sight of the scored document.

A document's calibration and thresholds are fitted on the out-of-fold logits of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from clauselens.evaluation.calibration import FITS, log_loss
from clauselens.evaluation.metrics import BoolArray, FloatArray
from clauselens.evaluation.scaling import Scaling
from clauselens.evaluation.thresholds import fit_thresholds


@dataclass(frozen=True, slots=True)
class CrossFitted:
    """Calibrated probabilities, the cut-offs that apply to each row, and the label shares of the
    other documents; all ``(n, labels)``.
    """

    probabilities: FloatArray
    thresholds: FloatArray
    prior: FloatArray

    @property
    def predicted(self) -> BoolArray:
        return self.probabilities >= self.thresholds


def cross_fit(
    gold: BoolArray, logits: FloatArray, documents: Sequence[str], *, method: str
) -> CrossFitted:
    """Calibrate by ``method`` and cut each document's rows by what the others show."""
    of = np.array(documents)
    probabilities, thresholds, prior = (np.zeros(gold.shape) for _ in range(3))
    for document in dict.fromkeys(documents):
        here, there = of == document, of != document
        scaling = FITS[method](gold[there], logits[there])
        probabilities[here] = scaling.probabilities(logits[here])
        thresholds[here] = fit_thresholds(gold[there], scaling.probabilities(logits[there]))
        prior[here] = gold[there].mean(0)
    return CrossFitted(probabilities, thresholds, prior)


def choose_method(
    gold: BoolArray, logits: Sequence[FloatArray], documents: Sequence[str]
) -> tuple[str, dict[str, float]]:
    """The calibration with the least cross-fitted log loss, mean over seeds, and all losses.

    ``logits``: one array ``(n, labels)`` for each seed.
    """
    losses = {
        method: float(np.mean([_loss(gold, seed, documents, method) for seed in logits]))
        for method in FITS
    }
    return min(losses, key=lambda method: losses[method]), losses


def fit_final(gold: BoolArray, logits: FloatArray, *, method: str) -> tuple[Scaling, FloatArray]:
    """Calibration and thresholds of the model to ship, from all out-of-fold logits."""
    scaling = FITS[method](gold, logits)
    return scaling, fit_thresholds(gold, scaling.probabilities(logits))


def _loss(gold: BoolArray, logits: FloatArray, documents: Sequence[str], method: str) -> float:
    of = np.array(documents)
    total = 0.0
    for document in dict.fromkeys(documents):
        here, there = of == document, of != document
        scaling = FITS[method](gold[there], logits[there])
        scaled = logits[here] * scaling.slope + scaling.offset
        total += log_loss(gold[here], scaled) * float(here.mean())
    return total
