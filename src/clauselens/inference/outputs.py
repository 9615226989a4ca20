"""Predictions on disk: JSON Lines, CSV or Parquet, whole or absent, with a sidecar.

JSON Lines: ``{id, row, labels, scores: {label: p}, windows, language, error}`` and the kept
columns. CSV and Parquet: ``id, row, labels, score_<label> …, windows, language, error`` and the
kept columns; CSV joins the labels by ``;``.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

import pyarrow as pa
import pyarrow.parquet as pq

from clauselens.errors import InputError
from clauselens.records import Prediction

STDOUT = Path("-")
LABEL_SEPARATOR = ";"
RESERVED = frozenset({"id", "row", "labels", "scores", "windows", "language", "error"})

_DIGITS = 6
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_PARQUET_ROWS = 4096


class PredictionWriter:
    """Writes beside the target and moves the file there when all went well."""

    def __init__(self, path: Path, *, labels: Sequence[str], metadata: Mapping[str, str]) -> None:
        if path != STDOUT and path.suffix not in (".jsonl", ".csv", ".parquet"):
            raise InputError(f"{path}: can write .jsonl, .csv and .parquet")
        self._path = path
        self._partial = path.with_name(f".{path.name}.partial")
        self._labels = tuple(labels)
        self._metadata = dict(metadata)
        self._kept: tuple[str, ...] | None = None
        self._rows: list[dict[str, Any]] = []
        self._file: TextIO | None = None
        self._parquet: pq.ParquetWriter | None = None
        self._add: Callable[[Prediction, Mapping[str, Any]], None] = {
            ".csv": self._add_csv,
            ".parquet": self._add_parquet,
        }.get(path.suffix, self._add_json)

    def __enter__(self) -> Self:
        if self._path == STDOUT:
            self._file = sys.stdout
        elif self._path.suffix != ".parquet":
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._partial.open("w", encoding="utf-8", newline="")
        else:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        return self

    def write(self, prediction: Prediction, kept: Mapping[str, Any]) -> None:
        """Add one row. ``kept`` must have the same columns in all rows of a table."""
        self._add(prediction, kept)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            if self._file is not None and self._file is not sys.stdout:
                self._file.close()
            if self._parquet is not None:
                self._parquet.close()
            if kind is not None:
                self._partial.unlink(missing_ok=True)
        if kind is None and self._path != STDOUT:
            os.replace(self._partial, self._path)

    def _finish(self) -> None:
        if self._path.suffix == ".parquet":
            self._flush_parquet()
        elif self._path.suffix == ".csv" and self._kept is None:
            self._start_csv({})

    def _add_json(self, prediction: Prediction, kept: Mapping[str, Any]) -> None:
        row = {
            "id": prediction.id,
            "row": prediction.row,
            "labels": list(prediction.labels),
            "scores": {k: round(v, _DIGITS) for k, v in prediction.scores.items()},
            "windows": prediction.windows,
            "language": prediction.language,
            "error": prediction.error,
            **{key: value for key, value in kept.items() if key not in RESERVED},
        }
        line = json.dumps(row, ensure_ascii=False, default=str)
        assert self._file is not None
        # A lone surrogate in a kept column cannot be written as UTF-8: escape it.
        self._file.write(line.encode("utf-8", "backslashreplace").decode() + "\n")

    def _start_csv(self, kept: Mapping[str, Any]) -> None:
        self._kept = tuple(key for key in kept if key not in RESERVED)
        assert self._file is not None
        scores = [f"score_{label}" for label in self._labels]
        header = ["id", "row", "labels", *scores, "windows", "language", "error", *self._kept]
        csv.writer(self._file).writerow(header)

    def _add_csv(self, prediction: Prediction, kept: Mapping[str, Any]) -> None:
        if self._kept is None:
            self._start_csv(kept)
        assert self._kept is not None
        assert self._file is not None
        cells = [
            prediction.id,
            prediction.row,
            LABEL_SEPARATOR.join(prediction.labels),
            *(_score(prediction, label) for label in self._labels),
            prediction.windows,
            prediction.language or "",
            prediction.error or "",
            *(kept.get(key, "") for key in self._kept),
        ]
        csv.writer(self._file).writerow([_cell(cell) for cell in cells])

    def _add_parquet(self, prediction: Prediction, kept: Mapping[str, Any]) -> None:
        if self._kept is None:
            self._kept = tuple(key for key in kept if key not in RESERVED)
        self._rows.append(
            {
                "id": prediction.id,
                "row": prediction.row,
                "labels": list(prediction.labels),
                **{f"score_{label}": prediction.scores.get(label) for label in self._labels},
                "windows": prediction.windows,
                "language": prediction.language,
                "error": prediction.error,
                **{key: _parquet_text(kept.get(key)) for key in self._kept},
            }
        )
        if len(self._rows) >= _PARQUET_ROWS:
            self._flush_parquet()

    def _flush_parquet(self) -> None:
        schema = pa.schema(
            [
                ("id", pa.string()),
                ("row", pa.int64()),
                ("labels", pa.list_(pa.string())),
                *((f"score_{label}", pa.float64()) for label in self._labels),
                ("windows", pa.int32()),
                ("language", pa.string()),
                ("error", pa.string()),
                *((key, pa.string()) for key in self._kept or ()),
            ],
            metadata=self._metadata,
        )
        if self._parquet is None:
            self._parquet = pq.ParquetWriter(self._partial, schema)
        self._parquet.write_table(pa.Table.from_pylist(self._rows, schema=schema))
        self._rows = []


def _score(prediction: Prediction, label: str) -> float | str:
    score = prediction.scores.get(label)
    return "" if score is None else round(score, _DIGITS)


def _cell(value: Any) -> str:
    """A CSV cell that no spreadsheet takes for a formula: a quote goes before ``=+-@``."""
    text = str(value).encode("utf-8", "backslashreplace").decode()
    if isinstance(value, str) and text.startswith(_FORMULA):
        return "'" + text
    return text


def _parquet_text(value: Any) -> str | None:
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.encode("utf-8", "backslashreplace").decode()
