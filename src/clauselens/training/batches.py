"""Rows as batches for the Trainer: what an epoch shows of each, and which stand together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import get_length_grouped_indices

from clauselens.model.encoding import InputEncoder, Window
from clauselens.records import Context, Example


class EncodedRows:
    """Rows as token ids, with context, with less and without; the epoch decides what is shown.

    What a row loses of its context is drawn from (seed, epoch, row), so that a resumed run sees
    what an uninterrupted one would. A row that is too long is shown by its first window.
    """

    def __init__(
        self,
        examples: Sequence[Example],
        *,
        encoder: InputEncoder,
        targets: NDArray[np.float32],
        seed: int,
        context_dropout: float = 0.0,
        previous_dropout: float = 0.0,
    ) -> None:
        def shown(contexts: Sequence[Context] | None) -> list[Window]:
            windows = encoder.encode([example.text for example in examples], contexts)
            return [first for first, *_ in windows]

        self._full = shown([example.context for example in examples])
        self._alone = shown([replace(example.context, previous="") for example in examples])
        self._bare = shown(None)
        self._targets = targets
        self._context_dropout = context_dropout
        self._previous_dropout = previous_dropout
        self._seed = seed
        self.epoch = 0

    @property
    def windows(self) -> list[Window]:
        """What each row shows with its context."""
        return self._full

    @property
    def lengths(self) -> list[int]:
        """How many tokens each row shows in this epoch."""
        return [len(self._shown(index).ids) for index in range(len(self))]

    def __len__(self) -> int:
        return len(self._full)

    def __getitem__(self, index: int) -> dict[str, Any]:
        window = self._shown(index)
        return {
            "input_ids": list(window.ids),
            "token_type_ids": list(window.type_ids),
            "attention_mask": [1] * len(window.ids),
            "labels": self._targets[index],
        }

    def _shown(self, index: int) -> Window:
        context, previous = np.random.default_rng((self._seed, self.epoch, index)).random(2)
        rows = (
            self._bare
            if context < self._context_dropout
            else self._alone
            if previous < self._previous_dropout
            else self._full
        )
        return rows[index]


class LengthGroups(Sampler[int]):  # type: ignore[misc]
    """Rows of about one length stand together, by what the epoch at hand shows of them.

    The Trainer's own sampler measures rows once: where context comes and goes between epochs, a
    batch of the second has nearly twice as many places as tokens.
    """

    def __init__(self, rows: EncodedRows, batch_size: int) -> None:
        self._rows = rows
        self._batch_size = batch_size

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[int]:
        return iter(get_length_grouped_indices(self._rows.lengths, self._batch_size))


class Collator:
    """Pads rows to the longest of the batch."""

    def __init__(self, pad: int, segments: bool) -> None:
        self._fill = {"input_ids": pad, "attention_mask": 0}
        if segments:
            self._fill["token_type_ids"] = 0

    def __call__(self, rows: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        longest = max(len(row["input_ids"]) for row in rows)
        batch = {
            key: torch.tensor([row[key] + [fill] * (longest - len(row[key])) for row in rows])
            for key, fill in self._fill.items()
        }
        batch["labels"] = torch.from_numpy(np.stack([row["labels"] for row in rows]))
        return batch
