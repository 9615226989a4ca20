"""Reads policies with a classifier: units, predictions, close calls, nearest training clauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clauselens.corpus.lines import is_policy_title
from clauselens.corpus.reader import read_document
from clauselens.corpus.sentences import segment_document
from clauselens.errors import InputError
from clauselens.inference.classifier import ClauseClassifier, Thresholds
from clauselens.inference.nearest import text_vectors
from clauselens.inference.reading.records import MARGIN, Policy, ReadSentence
from clauselens.model.training_clauses import Neighbour, TrainingClauses
from clauselens.records import Context, Document, Prediction, Sentence, contexts

NEIGHBOURS = 4
"""Nearest training clauses that are shown of a sentence."""


def read_policy(
    path: Path,
    classifier: ClauseClassifier,
    *,
    number: int,
    prefix: str,
    threshold: Thresholds,
    learnt: TrainingClauses | None,
) -> Policy:
    """Read, segment and classify one document. ``prefix`` stands before the anchors of its
    sentences. Raises InputError if it cannot be read or holds no text.
    """
    document = _nameable(read_document(path))
    sentences = segment_document(document)
    if not sentences:
        raise InputError(f"{path}: no text in this document")
    cuts = classifier.cuts(threshold)
    told = contexts(sentences)
    predictions = classifier.predict_sentences(sentences, threshold=threshold)
    neighbours = _neighbours(classifier, sentences, told, predictions, learnt)
    return Policy(
        number=number,
        title=document.title or _own_title(sentences) or document.source,
        document=document,
        sentences=tuple(
            ReadSentence(
                sentence=sentence,
                prediction=prediction,
                anchor=f"{prefix}s-{sentence.start}-{sentence.end}",
                context=classifier.context_read(sentence.text, context)
                if prediction.scores
                else "",
                close_calls=_close_calls(prediction, cuts),
                neighbours=neighbours.get(sentence.start, ()),
            )
            for sentence, context, prediction in zip(sentences, told, predictions, strict=True)
        ),
    )


def _nameable(document: Document) -> Document:
    """File names may hold bytes that are no text; what is shown and stored must be."""
    id_, source = (
        name.encode("utf-8", "replace").decode() for name in (document.id, document.source)
    )
    return replace(document, id=id_, source=source)


def _own_title(sentences: Sequence[Sentence]) -> str:
    """The heading that names the document, if one stands before its first clause."""
    for sentence in sentences:
        if sentence.is_clause:
            break
        if sentence.kind == "heading" and is_policy_title(sentence.text):
            return " ".join(sentence.text.split())
    return ""


def _close_calls(prediction: Prediction, cuts: NDArray[np.float64]) -> tuple[str, ...]:
    return tuple(
        label
        for (label, score), cut in zip(prediction.scores.items(), cuts.tolist(), strict=False)
        if abs(score - cut) <= MARGIN
    )


def _neighbours(
    classifier: ClauseClassifier,
    sentences: Sequence[Sentence],
    told: Sequence[Context],
    predictions: Sequence[Prediction],
    learnt: TrainingClauses | None,
) -> dict[int, tuple[Neighbour, ...]]:
    """The nearest training clauses of each clause that was read, by where it starts."""
    read = [
        (sentence, context)
        for sentence, context, prediction in zip(sentences, told, predictions, strict=True)
        if prediction.scores
    ]
    if learnt is None or not read:
        return {}
    vectors = text_vectors(classifier, [s.text for s, _ in read], [context for _, context in read])
    nearest = learnt.nearest(vectors, number=NEIGHBOURS)
    return dict(zip((sentence.start for sentence, _ in read), nearest, strict=True))
