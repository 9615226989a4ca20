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
from clauselens.inference.classifier import ClauseClassifier, Thresholds, text_problem
from clauselens.inference.nearest import text_vectors
from clauselens.inference.reading.records import MARGIN, Policy, ReadSentence
from clauselens.model.training_clauses import Neighbour, TrainingClauses
from clauselens.records import Document, Prediction, Sentence

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
    predictions = _predictions(classifier, sentences, threshold)
    neighbours = _neighbours(classifier, sentences, learnt)
    return Policy(
        number=number,
        title=document.title or _own_title(sentences) or document.source,
        document=document,
        sentences=tuple(
            ReadSentence(
                sentence=sentence,
                prediction=prediction,
                anchor=f"{prefix}s-{sentence.start}-{sentence.end}",
                context=classifier.context_read(sentence.text, sentence.context)
                if prediction.scores
                else "",
                close_calls=_close_calls(prediction, cuts),
                neighbours=neighbours.get(sentence.start, ()),
            )
            for sentence, prediction in zip(sentences, predictions, strict=True)
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


def _readable(sentences: Sequence[Sentence]) -> list[Sentence]:
    return [s for s in sentences if s.is_clause and text_problem(s.text) is None]


def _predictions(
    classifier: ClauseClassifier, sentences: Sequence[Sentence], threshold: Thresholds
) -> list[Prediction]:
    """One for each unit: without scores for headings and boilerplate, with an error for a clause
    that has nothing to read.
    """
    clauses = _readable(sentences)
    found = classifier.predict(
        [clause.text for clause in clauses],
        [clause.context for clause in clauses],
        threshold=threshold,
    )
    of = dict(zip((clause.start for clause in clauses), found, strict=True))
    predictions = []
    for row, sentence in enumerate(sentences):
        blank = Prediction(
            id=sentence.id,
            row=row,
            error=text_problem(sentence.text) if sentence.is_clause else None,
        )
        given = of.get(sentence.start)
        predictions.append(replace(given, id=sentence.id, row=row) if given else blank)
    return predictions


def _close_calls(prediction: Prediction, cuts: NDArray[np.float64]) -> tuple[str, ...]:
    return tuple(
        label
        for (label, score), cut in zip(prediction.scores.items(), cuts.tolist(), strict=False)
        if abs(score - cut) <= MARGIN
    )


def _neighbours(
    classifier: ClauseClassifier, sentences: Sequence[Sentence], learnt: TrainingClauses | None
) -> dict[int, tuple[Neighbour, ...]]:
    """The nearest training clauses of each readable clause, by where it starts."""
    clauses = _readable(sentences)
    if learnt is None or not clauses:
        return {}
    vectors = text_vectors(classifier, [c.text for c in clauses], [c.context for c in clauses])
    nearest = learnt.nearest(vectors, number=NEIGHBOURS)
    return dict(zip((clause.start for clause in clauses), nearest, strict=True))
