"""What the layer that gives the logits reads: the vector of a text in the network's own terms."""

from __future__ import annotations

import threading
from typing import Any

from torch import nn


class LogitsInput:
    """Keeps what the last linear layer of a sequence classifier read, in each thread.

    ``width`` is the length of a vector, 0 for a network without such a layer.
    """

    def __init__(self, model: Any) -> None:
        self._kept = threading.local()
        outputs = model.config.num_labels
        layers = [
            layer
            for layer in model.modules()
            if isinstance(layer, nn.Linear) and layer.out_features == outputs
        ]
        self.width = int(layers[-1].in_features) if layers else 0
        if layers:
            layers[-1].register_forward_pre_hook(self._keep)

    def take(self) -> Any:
        """The vectors of this thread's last forward pass, ``(rows, width)``."""
        read = self._kept.read
        # A layer that reads every token is asked about the first, which encoders classify from.
        return read[:, 0] if read.dim() == 3 else read

    def _keep(self, _: Any, inputs: tuple[Any, ...]) -> None:
        self._kept.read = inputs[0]
