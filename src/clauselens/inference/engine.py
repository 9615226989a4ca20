"""Engines: token ids in, logits or vectors out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from clauselens.errors import InputError, MissingExtraError
from clauselens.model.encoding import Window
from clauselens.model.folder import GRAPH
from clauselens.taxonomy import nearest

ENGINES = ("auto", "openvino", "torch")


class Engine(Protocol):
    """Computes the logits of windows.

    ``precision`` is what this machine computes in (``fp32``, ``bf16``, ``int8``), which a model
    exported for another may not be able to choose. ``width`` is the length of a vector, 0 where
    the graph was exported without them.
    """

    name: str
    precision: str
    threads: int
    width: int

    def logits(self, windows: Sequence[Window], *, exact: bool = False) -> NDArray[np.float32]:
        """Logits of ``windows``, in their order: ``(len(windows), labels)``; ``exact`` computes
        in float32. Safe to call from several threads. Fastest where windows are sorted by length.
        """
        ...

    def vectors(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """What the layer that gives the logits reads of ``windows``, in their order, in float32:
        ``(len(windows), width)``.
        """
        ...


EngineClass = Callable[[Path, int], Engine]
"""Makes an engine of a verified folder for a number of threads."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Windows ``rows`` of a sequence, padded to their longest: arrays ``(rows, tokens)``."""

    rows: slice
    ids: NDArray[np.int64]
    mask: NDArray[np.int64]
    type_ids: NDArray[np.int64]


ROUND = 4
"""Lengths are padded to multiples of this: fewer shapes for a compiled graph to prepare for."""


def batches(windows: Sequence[Window], *, tokens: int, pad: int) -> Iterator[Batch]:
    """Cut ``windows`` into batches of at most ``tokens`` padded tokens, or of one window."""
    start = 0
    while start < len(windows):
        end, longest = start, 0
        while end < len(windows):
            wider = max(longest, -(-len(windows[end].ids) // ROUND) * ROUND)
            if end > start and wider * (end + 1 - start) > tokens:
                break
            longest, end = wider, end + 1
        yield _padded(windows, slice(start, end), longest, pad)
        start = end


def _padded(windows: Sequence[Window], rows: slice, longest: int, pad: int) -> Batch:
    shape = (rows.stop - rows.start, longest)
    ids = np.full(shape, pad, dtype=np.int64)
    mask, type_ids = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    for row, window in enumerate(windows[rows]):
        length = len(window.ids)
        ids[row, :length] = window.ids
        type_ids[row, :length] = window.type_ids
        mask[row, :length] = 1
    return Batch(rows, ids, mask, type_ids)


def engine_class(folder: Path, engine: str = "auto") -> EngineClass:
    """What makes the engine for a model folder, its library imported.

    ``auto``: torch where there is a GPU or the folder has no exported graph, else OpenVINO.
    Raises InputError on an unknown engine or a folder without the graph that it needs,
    MissingExtraError where the engine is not installed.
    """
    if engine not in ENGINES:
        raise InputError(f"engine: unknown {engine!r}{nearest(engine, ENGINES)}")
    exported = (folder / GRAPH).is_file()
    with_torch = find_spec("torch") is not None and find_spec("transformers") is not None
    if engine == "auto":
        engine = "torch" if with_torch and (not exported or _has_gpu()) else "openvino"
    if engine == "openvino":
        if not exported:
            raise InputError(
                f"{folder}: no graph for OpenVINO; make it with `clauselens export {folder}` "
                "(needs `pip install 'clauselens[train]'`)"
            )
        from clauselens.inference.openvino_engine import OpenVinoEngine

        return OpenVinoEngine
    if not with_torch:
        raise MissingExtraError("the torch engine", "train")
    from clauselens.inference.torch_engine import TorchEngine

    return TorchEngine


def _has_gpu() -> bool:
    # Importing torch takes seconds: it is asked only where a driver is there.
    if not Path("/dev/nvidiactl").exists():
        return False
    import torch

    return bool(torch.cuda.is_available())
