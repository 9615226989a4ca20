"""Fits the calibration of logits."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from clauselens.evaluation.metrics import BoolArray, FloatArray
from clauselens.evaluation.scaling import Scaling
from clauselens.evaluation.thresholds import MIN_POSITIVES

_PRIOR_STRENGTH = 15.0
"""Weight, in rows, of the pull of a label's Platt fit towards the common temperature. Less has a
lower log loss, more gives cut-offs that hold for policies not seen."""


def log_loss(gold: BoolArray, logits: FloatArray) -> float:
    """Mean binary cross-entropy over all cells, from logits."""
    return float(np.mean(np.logaddexp(0.0, np.where(gold, -logits, logits))))


def fit_identity(gold: BoolArray, logits: FloatArray) -> Scaling:
    """Leaves the logits as they are."""
    return Scaling.identity(gold.shape[1])


def fit_temperature(gold: BoolArray, logits: FloatArray) -> Scaling:
    """One slope for all labels, by log loss (Guo et al. 2017, "On Calibration of Modern Neural
    Networks", with one sigmoid a label).
    """
    found = minimize_scalar(
        lambda power: log_loss(gold, logits * np.exp(power)), bounds=(-3, 3), method="bounded"
    )
    labels = gold.shape[1]
    return Scaling("temperature", np.full(labels, float(np.exp(found.x))), np.zeros(labels))


def fit_platt(gold: BoolArray, logits: FloatArray) -> Scaling:
    """A slope and an offset for each label, by log loss (Platt 1999), pulled towards the common
    temperature as by a few rows. A label with fewer than 10 positives gets the temperature.
    """
    common = fit_temperature(gold, logits)
    slope, offset = common.slope.copy(), common.offset.copy()
    for j in range(gold.shape[1]):
        if gold[:, j].sum() >= MIN_POSITIVES:
            slope[j], offset[j] = _platt(gold[:, j], logits[:, j], float(common.slope[j]))
    return Scaling("platt", slope, offset)


FITS = {"none": fit_identity, "temperature": fit_temperature, "platt": fit_platt}


def _platt(gold: BoolArray, logits: FloatArray, start: float) -> tuple[float, float]:
    def objective(parameters: FloatArray) -> float:
        slope, offset = start * np.exp(parameters[0]), parameters[1]
        pull = _PRIOR_STRENGTH * float(np.square(parameters).sum()) / 2
        scaled = slope * logits + offset
        return float(np.logaddexp(0.0, np.where(gold, -scaled, scaled)).sum()) + pull

    found = minimize(objective, np.zeros(2), method="BFGS")
    return start * float(np.exp(found.x[0])), float(found.x[1])
