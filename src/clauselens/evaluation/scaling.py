"""From logits to calibrated probabilities. Needs numpy alone, since inference needs it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scaling:
    """``sigmoid(slope * logit + offset)`` for each label; both ``(labels,)``."""

    method: str
    slope: FloatArray
    offset: FloatArray

    @classmethod
    def identity(cls, labels: int) -> Scaling:
        """Leaves the logits as they are."""
        return cls("none", np.ones(labels), np.zeros(labels))

    def probabilities(self, logits: NDArray[np.floating]) -> FloatArray:
        """Calibrated probabilities of ``logits`` ``(n, labels)``."""
        return sigmoid(np.asarray(logits, dtype=np.float64) * self.slope + self.offset)


def sigmoid(logits: NDArray[np.floating]) -> FloatArray:
    """The logistic function, without overflow for large negative logits."""
    result: FloatArray = np.exp(-np.logaddexp(0.0, -np.asarray(logits, dtype=np.float64)))
    return result
