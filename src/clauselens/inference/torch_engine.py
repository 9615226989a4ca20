"""The torch engine: the model folder as transformers loads it, in float32."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging as transformers_logging

from clauselens.inference.engine import batches
from clauselens.inference.logits_input import LogitsInput
from clauselens.model.encoding import Window

BATCH_TOKENS = {"cpu": 1024, "cuda": 16384}
"""Padded tokens that go through the network together."""


class TorchEngine:
    """Runs on a GPU if there is one, else on the processor."""

    name = "torch"
    precision = "fp32"

    def __init__(self, folder: Path, threads: int) -> None:
        transformers_logging.disable_progress_bar()
        self.threads = threads
        torch.set_num_threads(threads)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
        self._model.to(self._device).eval()
        self._read = LogitsInput(self._model)
        self.width = self._read.width
        self._pad = int(self._model.config.pad_token_id or 0)
        self._segments = "token_type_ids" in inspect.signature(self._model.forward).parameters

    def logits(self, windows: Sequence[Window], *, exact: bool = False) -> NDArray[np.float32]:
        """See ``Engine``."""
        return self._compute(windows, self._model.config.num_labels, lambda logits: logits)

    def vectors(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """See ``Engine``."""
        return self._compute(windows, self.width, lambda _: self._read.take())

    def _compute(
        self, windows: Sequence[Window], width: int, pick: Callable[[Any], Any]
    ) -> NDArray[np.float32]:
        found = np.empty((len(windows), width), dtype=np.float32)
        for batch in batches(windows, tokens=BATCH_TOKENS[self._device.type], pad=self._pad):
            inputs = {"input_ids": batch.ids, "attention_mask": batch.mask}
            if self._segments:
                inputs["token_type_ids"] = batch.type_ids
            with torch.inference_mode():
                tensors = {
                    key: torch.from_numpy(value).to(self._device) for key, value in inputs.items()
                }
                found[batch.rows] = pick(self._model(**tensors).logits).float().cpu().numpy()
        return found
