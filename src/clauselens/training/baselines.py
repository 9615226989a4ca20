"""Baselines on the same rows, with the same context: what the transformer has to beat."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from clauselens.model.encoding import InputEncoder, InputFormat
from clauselens.records import Example

Rows = NDArray[np.object_]

_EMBEDDED_TOGETHER = 64


def tfidf_scores(
    train: Sequence[Example],
    gold: NDArray[np.bool_],
    rows: Sequence[Example],
    *,
    context: bool = True,
) -> NDArray[np.float64]:
    """Probabilities of TF-IDF (1- to 2-grams) with logistic regression, ``(rows, labels)``.

    Sentence and context are separate features; classes are weighted as balanced. A label without
    positives, or without negatives, in training scores its share there.
    """
    pipeline = make_pipeline(
        FeatureUnion([("text", _words(0)), ("context", _words(1))]) if context else _words(0),
        OneVsRestClassifier(
            LogisticRegression(C=10.0, class_weight="balanced", max_iter=1000), n_jobs=-1
        ),
    )
    scores = np.tile(gold.mean(0), (len(rows), 1))
    learnable = gold.any(0) & ~gold.all(0)
    pipeline.fit(_pairs(train), gold[:, learnable].astype(int))
    scores[:, learnable] = pipeline.predict_proba(_pairs(rows))
    return scores


def frozen_scores(
    train: NDArray[np.float32], gold: NDArray[np.bool_], rows: NDArray[np.float32]
) -> NDArray[np.float64]:
    """Probabilities of logistic regression on embeddings ``(n, width)``, ``(rows, labels)``.

    Classes are weighted as balanced; a label that cannot be learnt scores its share.
    """
    model = make_pipeline(
        StandardScaler(),
        OneVsRestClassifier(LogisticRegression(C=0.01, class_weight="balanced", max_iter=1000)),
    )
    scores = np.tile(gold.mean(0), (len(rows), 1))
    learnable = gold.any(0) & ~gold.all(0)
    model.fit(train, gold[:, learnable].astype(int))
    scores[:, learnable] = model.predict_proba(rows)
    return scores


def embed(
    folder: Path, examples: Sequence[Example], input_format: InputFormat
) -> NDArray[np.float32]:
    """Mean-pooled vectors ``(n, width)`` of the encoder as it was pretrained, with context."""
    import torch
    from transformers import AutoModel
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    encoded = InputEncoder.load(folder, input_format).encode(
        [example.text for example in examples], [example.context for example in examples]
    )
    windows = [first for first, *_ in encoded]
    segments = "token_type_ids" in inspect.signature(model.forward).parameters
    vectors = np.empty((len(windows), model.config.hidden_size), dtype=np.float32)
    # Windows of one length go together: there is nothing to pad, so a row's vector is its own.
    order = sorted(range(len(windows)), key=lambda row: len(windows[row].ids))
    for _, group in groupby(order, key=lambda row: len(windows[row].ids)):
        alike = list(group)
        for start in range(0, len(alike), _EMBEDDED_TOGETHER):
            rows = alike[start : start + _EMBEDDED_TOGETHER]
            inputs = {"input_ids": torch.tensor([windows[row].ids for row in rows])}
            if segments:
                inputs["token_type_ids"] = torch.tensor([windows[row].type_ids for row in rows])
            with torch.inference_mode():
                vectors[rows] = model(**inputs).last_hidden_state.mean(1).numpy()
    return vectors


def prior_scores(gold: NDArray[np.bool_], rows: int) -> NDArray[np.float64]:
    """Every row scored by each label's share in training: ``(rows, labels)``."""
    return np.tile(gold.mean(0), (rows, 1))


def _pairs(examples: Sequence[Example]) -> Rows:
    return np.array([(e.text, e.context.text) for e in examples], dtype=object)


def _words(column: int) -> Pipeline:
    return make_pipeline(
        FunctionTransformer(_column, kw_args={"index": column}),
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
    )


def _column(pairs: Rows, *, index: int) -> Rows:
    return pairs[:, index]
