"""Predictions of a stream of rows, in parts: one part is encoded while another is computed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from clauselens.inference.ahead import one_ahead
from clauselens.inference.checks import text_problem
from clauselens.inference.classifier import ClauseClassifier
from clauselens.inference.rows import InputRow
from clauselens.model.encoding import Window
from clauselens.records import Prediction


@dataclass(frozen=True, slots=True, kw_only=True)
class _Encoded:
    """Rows on their way through the engine; ``windows`` of those without a problem."""

    rows: Sequence[InputRow]
    problems: Sequence[str | None]
    windows: Sequence[Sequence[Window]]

    @property
    def good(self) -> list[InputRow]:
        pairs = zip(self.rows, self.problems, strict=True)
        return [row for row, problem in pairs if problem is None]


def predict_stream(
    classifier: ClauseClassifier,
    rows: Iterator[InputRow],
    cuts: NDArray[np.float64],
    *,
    part_rows: int,
    first: int = 0,
) -> Iterator[list[tuple[Prediction, InputRow]]]:
    """Yield predictions with their rows, in order, ``part_rows`` at a time.

    A row with a problem gets its error. ``Prediction.row`` counts from ``first``; ``cuts`` are
    the cut-offs ``(labels,)``. What a part holds depends on its own rows alone.
    """
    for part, logits in one_ahead(_computed(classifier, rows, cuts, part_rows)):
        texts = [str(row.text) for row in part.good]
        found = iter(classifier.predictions(texts, part.windows, logits, cuts))
        result = [
            (
                replace(next(found), id=row.id, row=number)
                if problem is None
                else Prediction(id=row.id, row=number, error=problem),
                row,
            )
            for number, (row, problem) in enumerate(
                zip(part.rows, part.problems, strict=True), first
            )
        ]
        first += len(result)
        yield result


def _computed(
    classifier: ClauseClassifier,
    rows: Iterator[InputRow],
    cuts: NDArray[np.float64],
    part_rows: int,
) -> Iterator[tuple[_Encoded, NDArray[np.float64]]]:
    for part in one_ahead(_encoded(classifier, rows, part_rows)):
        yield part, classifier.compute(part.windows, cuts)


def _encoded(
    classifier: ClauseClassifier, rows: Iterator[InputRow], part_rows: int
) -> Iterator[_Encoded]:
    while part := list(islice(rows, part_rows)):
        problems = [row.error or text_problem(row.text) for row in part]
        encoded = _Encoded(rows=part, problems=problems, windows=())
        good = encoded.good
        windows = classifier.encode([str(r.text) for r in good], [r.context for r in good])
        yield replace(encoded, windows=windows)
