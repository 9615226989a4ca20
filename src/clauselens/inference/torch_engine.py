"""The torch engine: the model folder as transformers loads it, in float32."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging as transformers_logging

from clauselens.model.encoding import Window


class TorchEngine:
    """Runs on a GPU if there is one, else on the processor."""

    name = "torch"

    def __init__(self, folder: Path) -> None:
        transformers_logging.disable_progress_bar()
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._model = AutoModelForSequenceClassification.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
        )
        self._model.to(self._device).eval()
        self._pad = int(self._model.config.pad_token_id or 0)
        self._segments = "token_type_ids" in inspect.signature(self._model.forward).parameters

    def logits(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """See ``Engine``."""
        longest = max(len(window.ids) for window in windows)
        shape = (len(windows), longest)
        ids = np.full(shape, self._pad, dtype=np.int64)
        mask = np.zeros(shape, dtype=np.int64)
        types = np.zeros(shape, dtype=np.int64)
        for row, window in enumerate(windows):
            ids[row, : len(window.ids)] = window.ids
            types[row, : len(window.ids)] = window.type_ids
            mask[row, : len(window.ids)] = 1
        inputs = {"input_ids": ids, "attention_mask": mask}
        if self._segments:
            inputs["token_type_ids"] = types
        with torch.inference_mode():
            tensors = {
                key: torch.from_numpy(value).to(self._device) for key, value in inputs.items()
            }
            output: NDArray[np.float32] = self._model(**tensors).logits.float().cpu().numpy()
        return output
