"""Starting points for the classification head of a BERT-like encoder.

Both change weights only, so the model folder stays loadable by plain ``transformers``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from clauselens.errors import InputError
from clauselens.model.encoding import InputEncoder, Window
from clauselens.taxonomy import Taxonomy

MEAN_WEIGHT = 4.0
"""Weight of the mean over the tokens against the first token's own vector."""

POOLER_SCALE = 0.3
"""Keeps the pooler's tanh where it is nearly linear."""

SIMILARITY_SCALE = 5.0
"""Logit at a cosine of 1 to a category's definition."""


def check_bert(network: Any) -> None:
    """Raise InputError if ``network``, a configuration, is not of the BERT family."""
    if network.model_type != "bert":
        raise InputError(
            "encoder.pooling 'mean' and encoder.definitions are for BERT encoders, this one is "
            f"{network.model_type!r}: use 'first' and false"
        )


def start_anew(model: Any) -> None:
    """Forget what a head learnt of other labels that happen to be as many; the encoder stays."""
    for name, part in model.named_children():
        for layer in part.modules():
            if name != model.base_model_prefix and isinstance(layer, torch.nn.Linear):
                layer.reset_parameters()


def start_at_mean_pooling(model: Any) -> None:
    """Make the last layer's first token the mean over all tokens, and the pooler pass it on.

    BERT classifies from its first token, while sentence encoders are trained for the mean over
    all. A further layer with queries and keys of zero attends evenly, which is that mean; as it
    is trained on, it becomes attention pooling.
    """
    width = model.config.hidden_size
    layer = model.bert.encoder.layer[-1]
    with torch.no_grad():
        for linear in (layer.attention.self.query, layer.attention.self.key, layer.output.dense):
            linear.weight.zero_()
            linear.bias.zero_()
        for linear, scale in (
            (layer.attention.self.value, 1.0),
            (layer.attention.output.dense, MEAN_WEIGHT),
            (model.bert.pooler.dense, POOLER_SCALE),
        ):
            linear.weight.copy_(torch.eye(width) * scale)
            linear.bias.zero_()


def start_at_definitions(
    model: Any, encoder: InputEncoder, taxonomy: Taxonomy, *, rows: Sequence[Window], prior: Any
) -> None:
    """Make each classifier row the direction of its category's definition: a zero-shot start.

    ``rows`` are training rows, whose mean is the origin; ``prior`` ``(labels,)`` the share of
    each label, which the bias starts from.
    """
    texts = [f"{c.id.replace('_', ' ')}: {c.definition}" for c in taxonomy.categories]
    model.eval()
    with torch.no_grad():
        centre = _pooled(model, rows)
        definitions = _pooled(model, [windows[0] for windows in encoder.encode(texts)])
        origin = centre.mean(0)
        spread = (centre - origin).norm(dim=1).mean()
        directions = torch.nn.functional.normalize(definitions - definitions.mean(0), dim=1)
        share = torch.from_numpy(np.clip(prior, 0.005, 0.995)).float()
        weight = directions * (SIMILARITY_SCALE / spread)
        model.classifier.weight.copy_(weight)
        model.classifier.bias.copy_(torch.logit(share) - weight @ origin)
    model.train()


def _pooled(model: Any, windows: Sequence[Window]) -> torch.Tensor:
    vectors = [
        model.bert(
            input_ids=torch.tensor([window.ids]), token_type_ids=torch.tensor([window.type_ids])
        ).pooler_output[0]
        for window in windows
    ]
    return torch.stack(vectors)
