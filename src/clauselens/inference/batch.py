"""Classifies a stream of rows in bounded memory; a bad row gets its error and the run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from clauselens import __version__
from clauselens.errors import InputError
from clauselens.inference.classifier import ClauseClassifier, Thresholds, text_problem
from clauselens.inference.inputs import Columns, InputRow, read_rows
from clauselens.inference.outputs import STDOUT, PredictionWriter
from clauselens.records import Prediction
from clauselens.storage import write_json

CHUNK = 1024
"""Rows in memory at a time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSummary:
    """What a batch run did."""

    rows: int
    errors: int
    foreign: int
    seconds: float

    @property
    def rows_per_second(self) -> float:
        return self.rows / self.seconds if self.seconds else 0.0


def predict_stream(
    classifier: ClauseClassifier,
    rows: Iterable[InputRow],
    *,
    threshold: Thresholds = None,
) -> Iterator[tuple[InputRow, Prediction]]:
    """Predict row by row, in order; ``Prediction.row`` counts from 0."""
    stream = iter(rows)
    position = 0
    while chunk := list(islice(stream, CHUNK)):
        problems = [row.error or text_problem(row.text) for row in chunk]
        good = [row for row, problem in zip(chunk, problems, strict=True) if problem is None]
        found = iter(
            classifier.predict(
                [str(row.text) for row in good], [row.context for row in good], threshold=threshold
            )
        )
        for row, problem in zip(chunk, problems, strict=True):
            if problem is None:
                prediction = replace(next(found), id=row.id, row=position)
            else:
                prediction = Prediction(id=row.id, row=position, error=problem)
            yield row, prediction
            position += 1


def predict_files(
    classifier: ClauseClassifier,
    inputs: Sequence[Path],
    out: Path,
    *,
    columns: Columns,
    threshold: Thresholds = None,
    strict: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
) -> BatchSummary:
    """Classify files into ``out`` with a sidecar ``<out>.meta.json``.

    Nothing is left at ``out`` if the run fails. ``progress`` is told the rows done so far. Raises
    InputError on a bad input or option, and with ``strict`` at the first bad row.
    """
    metadata = {
        "clauselens_version": __version__,
        "model_checksum": classifier.checksum,
        "taxonomy": classifier.taxonomy.name,
        "taxonomy_version": classifier.taxonomy.version,
    }
    started = time.perf_counter()
    rows = errors = foreign = 0
    with PredictionWriter(out, labels=classifier.labels, metadata=metadata) as writer:
        stream = predict_stream(classifier, read_rows(inputs, columns), threshold=threshold)
        for row, prediction in stream:
            if prediction.error is not None:
                if strict:
                    raise InputError(f"{prediction.id}: {prediction.error}")
                errors += 1
            writer.write(prediction, row.kept)
            foreign += prediction.language is not None
            rows += 1
            if rows % 64 == 0:
                progress(rows)
    progress(rows)
    if out != STDOUT:
        write_json(
            out.with_name(out.name + ".meta.json"),
            {
                **metadata,
                "thresholds": classifier.thresholds,
                "threshold_option": threshold,
                "rows": rows,
                "errors": errors,
                "not_english": foreign,
            },
        )
    return BatchSummary(
        rows=rows, errors=errors, foreign=foreign, seconds=time.perf_counter() - started
    )
