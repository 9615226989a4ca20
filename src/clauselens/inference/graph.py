"""The network as an OpenVINO graph, in float32: logits, and the vectors they are read from."""

from __future__ import annotations

import inspect
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openvino as ov
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification
from transformers.utils import logging as transformers_logging

from clauselens.inference.logits_input import LogitsInput

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_HIDDEN = -10_000.0
"""Added to the attention scores of padding; in bf16 and float32 alike its share is then 0."""


@contextmanager
def unreported() -> Iterator[None]:
    """Keep converters from reporting their use to their maker's analytics, which they do unless
    they believe to run in CI.
    """
    before = os.environ.get("CI")
    os.environ["CI"] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ["CI"]
        else:
            os.environ["CI"] = before


def traced(folder: Path) -> tuple[ov.Model, int]:
    """Trace the network of a model folder; returns the graph and the padding token's id."""
    transformers_logging.disable_progress_bar()
    transformers_logging.set_verbosity_error()
    model = AutoModelForSequenceClassification.from_pretrained(
        folder,
        local_files_only=True,
        use_safetensors=True,
        dtype=torch.float32,
        attn_implementation="eager",
    ).eval()
    known = inspect.signature(model.forward).parameters
    names = [name for name in _INPUTS if name in known]
    example = {name: torch.ones(2, 8, dtype=torch.long) for name in names}
    example["attention_mask"][1, 5:] = 0
    network = _FirstTokenBert(model) if model.config.model_type == "bert" else _Logits(model)
    with warnings.catch_warnings(), unreported():
        warnings.simplefilter("ignore")  # The tracer warns of branches on shapes.
        graph = ov.convert_model(network.eval(), example_input=example)
    for port, name in zip(graph.inputs, names, strict=True):
        port.get_tensor().set_names({name})
    return graph, int(model.config.pad_token_id or 0)


class _Logits(nn.Module):  # type: ignore[misc]
    """Any architecture, as it is."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._model = model
        self._read = LogitsInput(model)

    def forward(
        self, input_ids: Any, attention_mask: Any, token_type_ids: Any | None = None
    ) -> Any:
        inputs = {"input_ids": input_ids, "attention_mask": attention_mask}
        if token_type_ids is not None:
            inputs["token_type_ids"] = token_type_ids
        logits = self._model(**inputs).logits
        return (logits, self._read.take()) if self._read.width else logits


class _FirstTokenBert(nn.Module):  # type: ignore[misc]
    """BERT with what the classifier needs of its last layer: the first token.

    The other tokens' queries, outputs and feed-forward there are computed for nothing; leaving
    them out saves most of one layer.
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self._model = model
        self._heads = model.config.num_attention_heads

    def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any) -> Any:
        bert = self._model.bert
        states = bert.embeddings(input_ids=input_ids, token_type_ids=token_type_ids)
        mask = (1 - attention_mask[:, None, None, :].to(states.dtype)) * _HIDDEN
        *layers, last = bert.encoder.layer
        for layer in layers:
            states = self._layer(layer, states, states, mask)
        first = self._layer(last, states[:, :1], states, mask)[:, 0]
        pooled = torch.tanh(bert.pooler.dense(first))
        return self._model.classifier(pooled), pooled

    def _layer(self, layer: Any, queries: Any, states: Any, mask: Any) -> Any:
        attention = layer.attention.self
        query = self._split(attention.query(queries))
        key, value = self._split(attention.key(states)), self._split(attention.value(states))
        scores = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5 + mask
        mixed = (scores.softmax(-1) @ value).transpose(1, 2).reshape(queries.shape)
        output = layer.attention.output
        attended = output.LayerNorm(output.dense(mixed) + queries)
        return layer.output(layer.intermediate(attended), attended)

    def _split(self, states: Any) -> Any:
        rows, tokens, width = states.shape
        return states.view(rows, tokens, self._heads, width // self._heads).transpose(1, 2)
