"""Engines: token ids in, logits out."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clauselens.errors import MissingExtraError
from clauselens.model.encoding import Window


class Engine(Protocol):
    """Computes the logits of a batch of windows."""

    name: str

    def logits(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """Logits of ``windows``, padded to the longest: ``(len(windows), labels)``."""
        ...


def load_engine(folder: Path) -> Engine:
    """The engine for a model folder. Raises MissingExtraError where none is installed."""
    if find_spec("torch") is None or find_spec("transformers") is None:
        raise MissingExtraError("loading a model", "train")
    from clauselens.inference.torch_engine import TorchEngine

    return TorchEngine(folder)
