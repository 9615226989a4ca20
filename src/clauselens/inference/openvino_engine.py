"""The OpenVINO engine: the exported graph on the processor, one thread a stream."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from clauselens.errors import InputError
from clauselens.inference.engine import Batch, batches
from clauselens.model.encoding import Window
from clauselens.model.folder import ENGINE, GRAPH
from clauselens.storage import read_json

BATCH_TOKENS = 1024
"""Padded tokens of one request: the activations of a layer then stay in a core's cache."""

SHARES = 4
"""Requests that a thread should have of a small job, so that all threads end at one time."""

_LOGITS, _VECTORS = 0, 1
"""Outputs of the graph; one that was exported by an earlier version has the first alone."""

_HINTS = {"fp32": "f32", "bf16": "bf16", "int8": "f32"}


class OpenVinoEngine:
    """Runs as many requests at once as it has threads; each is computed by one thread, so that
    its result does not hang on what else is running.
    """

    name = "openvino"

    def __init__(self, folder: Path, threads: int) -> None:
        """Compile the graph of a folder whose checksums have been verified."""
        facts = read_json(folder / ENGINE)
        precision = facts["precision"]
        if precision not in _HINTS:
            raise InputError(f"{folder / ENGINE}: unknown precision {precision!r}")
        self.threads = threads
        self._pad = int(facts["pad"])
        self._graph = folder / GRAPH
        self._lock = threading.Lock()
        compiled = self._compile(_HINTS[precision])
        # A processor without bf16 computes in float32 whatever is asked of it.
        chosen = compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
        self.precision = "fp32" if precision == "bf16" and chosen == "f32" else precision
        self._names = [one.any_name for one in compiled.inputs]
        self._widths = [one.partial_shape[1].get_length() for one in compiled.outputs]
        self.width = self._widths[_VECTORS] if len(self._widths) > _VECTORS else 0
        self._queue = self._waiting(compiled)
        self._exact = None if self.precision == "bf16" else self._queue

    def logits(self, windows: Sequence[Window], *, exact: bool = False) -> NDArray[np.float32]:
        """See ``Engine``. An int8 graph has no float32: ``exact`` then changes nothing."""
        return self._compute(windows, _LOGITS, exact=exact)

    def vectors(self, windows: Sequence[Window]) -> NDArray[np.float32]:
        """See ``Engine``."""
        return self._compute(windows, _VECTORS, exact=True)

    def _compute(
        self, windows: Sequence[Window], output: int, *, exact: bool
    ) -> NDArray[np.float32]:
        found = np.empty((len(windows), self._widths[output]), dtype=np.float32)
        share = sum(len(window.ids) for window in windows) // (SHARES * self.threads)
        tokens = min(BATCH_TOKENS, max(BATCH_TOKENS // 8, share))

        def keep(request: ov.InferRequest, batch: Batch) -> None:
            found[batch.rows] = request.get_output_tensor(output).data

        with self._lock:
            if exact and self._exact is None:
                # Compiled when it is needed: a first answer does not wait for it.
                self._exact = self._waiting(self._compile("f32"))
            queue = self._exact if exact else self._queue
            assert queue is not None
            queue.set_callback(keep)
            try:
                for batch in batches(windows, tokens=tokens, pad=self._pad):
                    arrays = {
                        "input_ids": batch.ids,
                        "attention_mask": batch.mask,
                        "token_type_ids": batch.type_ids,
                    }
                    # The batch goes along as user data, which keeps its arrays alive.
                    queue.start_async(
                        {name: arrays[name] for name in self._names}, batch, share_inputs=True
                    )
            finally:
                queue.wait_all()
        return found

    def _compile(self, hint: str) -> ov.CompiledModel:
        properties = {
            "INFERENCE_PRECISION_HINT": hint,
            "NUM_STREAMS": self.threads,
            "INFERENCE_NUM_THREADS": self.threads,
        }
        return ov.Core().compile_model(self._graph, "CPU", properties)

    def _waiting(self, compiled: ov.CompiledModel) -> ov.AsyncInferQueue:
        # One request computes and one waits for each thread, lest it wait for Python.
        return ov.AsyncInferQueue(compiled, 2 * self.threads)
