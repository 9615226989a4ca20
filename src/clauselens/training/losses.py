"""Losses for imbalanced multi-label data."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from clauselens.training.config import LossConfig

Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def build_loss(config: LossConfig, gold: NDArray[np.bool_]) -> Loss:
    """The loss over logits and 0/1 targets, both ``(batch, labels)``; a mean over all cells.

    ``gold`` ``(n, labels)`` is the training data, for the positive weights.
    """
    if config.name == "asymmetric":
        return asymmetric_loss(config)
    weights = torch.from_numpy(positive_weights(gold, cap=config.max_positive_weight))

    def bce(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.binary_cross_entropy_with_logits(
            logits.float(), targets, pos_weight=weights.to(logits.device)
        )

    return bce


def positive_weights(gold: NDArray[np.bool_], *, cap: float) -> NDArray[np.float32]:
    """``min(negatives / positives, cap)`` per label, at least 1; the cap for a label unseen."""
    positives = gold.sum(0)
    ratio = (len(gold) - positives) / np.maximum(positives, 1)
    weights: NDArray[np.float32] = np.clip(ratio, 1.0, cap).astype(np.float32)
    return weights


def asymmetric_loss(config: LossConfig) -> Loss:
    """Asymmetric loss (Ridnik et al. 2021, "Asymmetric Loss For Multi-Label Classification",
    equations 4 to 7): negatives are down-weighted by focusing and dropped below a margin.
    """

    def asl(logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        probability = torch.sigmoid(logits.float())
        shifted = (probability - config.margin).clamp(min=0)
        positive = (1 - probability) ** config.gamma_positive * torch.log(
            probability.clamp(min=1e-8)
        )
        negative = shifted**config.gamma_negative * torch.log((1 - shifted).clamp(min=1e-8))
        return -(targets * positive + (1 - targets) * negative).mean()

    return asl
