"""The Hugging Face Trainer with batches by an epoch's lengths, and adversarial training."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Trainer

from clauselens.training.batches import EncodedRows, LengthGroups


class ClauseTrainer(Trainer):  # type: ignore[misc]
    """``train_dataset`` is of ``EncodedRows``.

    With ``adversarial``, a step learns from the mean of two losses: that of the batch, and that
    with the word embeddings moved by so much (Euclidean norm over the whole matrix) to where the
    first grows fastest; this is Miyato et al. 2017, "Adversarial Training Methods for
    Semi-Supervised Text Classification", section 3, but for the perturbation: one for each word of
    the batch, wherever it stands. A step costs twice as much.
    """

    def __init__(self, *arguments: Any, adversarial: float = 0.0, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._norm = adversarial

    def _get_train_sampler(self, train_dataset: EncodedRows | None = None) -> Any:
        rows = self.train_dataset if train_dataset is None else train_dataset
        if self.args.train_sampling_strategy != "group_by_length":
            return super()._get_train_sampler(rows)
        return LengthGroups(
            rows, self.args.train_batch_size * self.args.gradient_accumulation_steps
        )

    def training_step(
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> torch.Tensor:
        again = dict(inputs)  # A step takes the labels out.
        loss: torch.Tensor = super().training_step(model, inputs, num_items_in_batch)
        if not self._norm:
            return loss
        words = self.accelerator.unwrap_model(model).get_input_embeddings().weight
        length = words.grad.norm()
        if not length:
            return loss
        before = words.detach().clone()
        with torch.no_grad():
            words.add_(words.grad * (self._norm / length))
        super().training_step(model, again, num_items_in_batch)
        with torch.no_grad():
            words.copy_(before)
            for parameter in model.parameters():
                if parameter.grad is not None:
                    parameter.grad.mul_(0.5)
        return loss
