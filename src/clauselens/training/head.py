"""Starting points for the classification head of a BERT or MPNet encoder.

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


_FAMILIES = ("bert", "mpnet")


def check_family(network: Any) -> None:
    """Raise InputError if ``network``, a configuration, is of no family that is known here."""
    if network.model_type not in _FAMILIES:
        raise InputError(
            "encoder.pooling 'mean' and encoder.definitions are for encoders of the families "
            f"{' and '.join(_FAMILIES)}, this one is {network.model_type!r}: use 'first' and false"
        )


def start_anew(model: Any) -> None:
    """Forget what a head learnt of other labels that happen to be as many; the encoder stays."""
    for name, part in model.named_children():
        for layer in part.modules():
            if name != model.base_model_prefix and isinstance(layer, torch.nn.Linear):
                layer.reset_parameters()


def start_at_mean_pooling(model: Any) -> None:
    """Make the last layer's first token the mean over all tokens, and the head pass it on.

    The head reads the first token, while sentence encoders are trained for the mean over all. A
    further layer with queries and keys of zero attends evenly, which is that mean; as it is
    trained on, it becomes attention pooling. In MPNet the relative positions still weigh: to rank
    clauses by the definitions, its weighted mean does as well as the even one.
    """
    width = model.config.hidden_size
    layer = model.base_model.encoder.layer[-1]
    if model.config.model_type == "bert":
        inner = layer.attention.self
        query, key, value = inner.query, inner.key, inner.value
        mixed, dense = layer.attention.output.dense, model.bert.pooler.dense
    else:
        inner = layer.attention.attn
        query, key, value, mixed, dense = inner.q, inner.k, inner.v, inner.o, model.classifier.dense
    with torch.no_grad():
        for linear in (query, key, layer.output.dense):
            linear.weight.zero_()
            linear.bias.zero_()
        for linear, scale in ((value, 1.0), (mixed, MEAN_WEIGHT), (dense, POOLER_SCALE)):
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
    bert = model.config.model_type == "bert"
    classifier = model.classifier if bert else model.classifier.out_proj
    model.eval()
    with torch.no_grad():
        centre = _pooled(model, classifier, rows)
        definitions = _pooled(model, classifier, [first for first, *_ in encoder.encode(texts)])
        origin = centre.mean(0)
        spread = (centre - origin).norm(dim=1).mean()
        directions = torch.nn.functional.normalize(definitions - definitions.mean(0), dim=1)
        share = torch.from_numpy(np.clip(prior, 0.005, 0.995)).float()
        weight = directions * (SIMILARITY_SCALE / spread)
        classifier.weight.copy_(weight)
        classifier.bias.copy_(torch.logit(share) - weight @ origin)
    model.train()


def _pooled(model: Any, classifier: Any, windows: Sequence[Window]) -> torch.Tensor:
    """What the classifier reads of each window."""
    vectors: list[torch.Tensor] = []
    hook = classifier.register_forward_pre_hook(lambda _, given: vectors.append(given[0][0]))
    for window in windows:
        segments = {"token_type_ids": torch.tensor([window.type_ids])}
        model(
            input_ids=torch.tensor([window.ids]),
            **(segments if model.config.model_type == "bert" else {}),
        )
    hook.remove()
    return torch.stack(vectors)
