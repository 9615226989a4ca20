"""Predictions as bytes: JSON Lines, CSV or Parquet, in parts that join to one file.

JSON Lines: ``{id, row, labels, scores: {label: p}, windows, language, error}`` and the kept
columns. CSV and Parquet: ``id, row, labels, score_<label> …, windows, language, error`` and the
kept columns; CSV joins the labels by ``;``. JSON Lines and CSV may be compressed (``.gz``).
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from clauselens.errors import InputError
from clauselens.records import Prediction
from clauselens.storage import finite

LABEL_SEPARATOR = ";"
RESERVED = frozenset({"id", "row", "labels", "scores", "windows", "language", "error"})

_DIGITS = 6
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = tuple[Prediction, Mapping[str, Any]]
"""A prediction and the columns to copy beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """The columns of an output: score columns, kept columns, and what the file says of its run.

    With ``raw`` a CSV cell that a spreadsheet takes for a formula is left as it is.
    """

    labels: tuple[str, ...]
    kept: tuple[str, ...]
    metadata: Mapping[str, str]
    raw: bool = False


class Format(Protocol):
    """How rows become the bytes of a part, and parts one file."""

    def part(self, rows: Sequence[Row]) -> bytes:
        """The bytes of one part; equal rows give equal bytes."""
        ...

    def join(self, parts: Sequence[Path], target: Path) -> None:
        """Write ``target`` from the files of the parts."""
        ...


def check_output(path: Path) -> None:
    """Raise InputError unless the suffix names a format that can be written."""
    if _suffix(path) not in _FORMATS:
        raise InputError(
            f"{path}: can write .jsonl, .csv (either with .gz) and .parquet, or - for JSON Lines"
        )


def output_format(path: Path, layout: Layout) -> Format:
    """The format of ``path`` by its suffix. Raises InputError on one that is not known."""
    check_output(path)
    return _FORMATS[_suffix(path)](layout, path.suffix == ".gz")


class JsonLines:
    """One object a line."""

    def __init__(self, layout: Layout, zipped: bool) -> None:
        self._zipped = zipped

    def part(self, rows: Sequence[Row]) -> bytes:
        """See ``Format``."""
        lines = "".join(_json_line(prediction, kept) for prediction, kept in rows)
        # A lone surrogate in a kept column cannot be written as UTF-8: escape it.
        return _packed(lines.encode("utf-8", "backslashreplace"), self._zipped)

    def join(self, parts: Sequence[Path], target: Path) -> None:
        """See ``Format``."""
        _concatenate(b"", parts, target)


class Csv:
    """A header and one line a row, quoted where it has to be."""

    def __init__(self, layout: Layout, zipped: bool) -> None:
        self._layout = layout
        self._zipped = zipped

    def part(self, rows: Sequence[Row]) -> bytes:
        """See ``Format``."""
        return self._lines(
            [
                prediction.id,
                prediction.row,
                LABEL_SEPARATOR.join(prediction.labels),
                *(_score(prediction, label) for label in self._layout.labels),
                prediction.windows,
                prediction.language or "",
                prediction.error or "",
                *(kept.get(key, "") for key in self._layout.kept),
            ]
            for prediction, kept in rows
        )

    def join(self, parts: Sequence[Path], target: Path) -> None:
        """See ``Format``."""
        scores = [f"score_{label}" for label in self._layout.labels]
        names = ["id", "row", "labels", *scores, "windows", "language", "error"]
        _concatenate(self._lines([[*names, *self._layout.kept]]), parts, target)

    def _lines(self, rows: Any) -> bytes:
        text = io.StringIO(newline="")
        csv.writer(text).writerows([self._cell(cell) for cell in row] for row in rows)
        return _packed(text.getvalue().encode(), self._zipped)

    def _cell(self, value: Any) -> str:
        """A cell that no spreadsheet takes for a formula: a quote goes before ``=+-@``."""
        text = str(value).encode("utf-8", "backslashreplace").decode()
        neutral = isinstance(value, str) and not self._layout.raw and text.startswith(_FORMULA)
        return "'" + text if neutral else text


class Parquet:
    """One row group a part; the run's facts are in the schema's metadata."""

    def __init__(self, layout: Layout, zipped: bool) -> None:
        self._layout = layout
        self._schema = pa.schema(
            [
                ("id", pa.string()),
                ("row", pa.int64()),
                ("labels", pa.list_(pa.string())),
                *((f"score_{label}", pa.float64()) for label in layout.labels),
                ("windows", pa.int32()),
                ("language", pa.string()),
                ("error", pa.string()),
                *((key, pa.string()) for key in layout.kept),
            ],
            metadata=dict(layout.metadata),
        )

    def part(self, rows: Sequence[Row]) -> bytes:
        """See ``Format``."""
        predictions = [prediction for prediction, _ in rows]
        columns: list[list[Any]] = [
            [_utf8(p.id) for p in predictions],
            [p.row for p in predictions],
            [list(p.labels) for p in predictions],
            *([p.scores.get(label) for p in predictions] for label in self._layout.labels),
            [p.windows for p in predictions],
            [p.language for p in predictions],
            [p.error for p in predictions],
            *([_text(kept.get(key)) for _, kept in rows] for key in self._layout.kept),
        ]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, self._schema, strict=True)]
        table = pa.Table.from_arrays(arrays, schema=self._schema)
        file = io.BytesIO()
        pq.write_table(table, file)
        return file.getvalue()

    def join(self, parts: Sequence[Path], target: Path) -> None:
        """See ``Format``."""
        with pq.ParquetWriter(target, self._schema) as writer:
            for part in parts:
                writer.write_table(pq.read_table(part, schema=self._schema))


def _suffix(path: Path) -> str:
    inner = Path(path.stem).suffix
    # Parquet is compressed inside.
    return inner if path.suffix == ".gz" and inner != ".parquet" else path.suffix


def _packed(data: bytes, zipped: bool) -> bytes:
    # Members of a gzip file may follow each other; no time stamp, so that equal rows stay equal.
    return gzip.compress(data, compresslevel=6, mtime=0) if zipped else data


def _concatenate(head: bytes, parts: Sequence[Path], target: Path) -> None:
    with target.open("wb") as out:
        out.write(head)
        for part in parts:
            with part.open("rb") as file:
                shutil.copyfileobj(file, out)


def _json_line(prediction: Prediction, kept: Mapping[str, Any]) -> str:
    row = {
        "id": prediction.id,
        "row": prediction.row,
        "labels": list(prediction.labels),
        "scores": {label: round(score, _DIGITS) for label, score in prediction.scores.items()},
        "windows": prediction.windows,
        "language": prediction.language,
        "error": prediction.error,
        **{key: finite(value) for key, value in kept.items() if key not in RESERVED},
    }
    return json.dumps(row, ensure_ascii=False, default=str) + "\n"


def _score(prediction: Prediction, label: str) -> float | str:
    score = prediction.scores.get(label)
    return "" if score is None else round(score, _DIGITS)


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return _utf8(
        value
        if isinstance(value, str)
        else json.dumps(finite(value), ensure_ascii=False, default=str)
    )


def _utf8(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


_FORMATS: Mapping[str, Callable[[Layout, bool], Format]] = {
    ".jsonl": JsonLines,
    ".csv": Csv,
    ".parquet": Parquet,
}
