"""Rows to classify, from documents, CSV, JSON Lines, Parquet, folders or standard input.

A row that cannot be read is yielded with its error, so that the run goes on. CSV and JSON Lines
may be compressed (.gz, .bz2, .zst). Memory is bounded: rows are streamed, and one that is longer
than ``MAX_BYTES`` is an error.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq

from clauselens.errors import InputError
from clauselens.inference.checks import text_problem
from clauselens.inference.documents import (
    SUFFIXES,
    DocumentIds,
    Keep,
    bad_document,
    document_rows,
    is_document,
    is_hidden,
)
from clauselens.inference.rows import Columns, InputRow
from clauselens.records import SECTION_SEPARATOR, Context

STDIN = Path("-")
MAX_BYTES = 16 * 2**20
"""Longest line of JSON, and longest cell of CSV, that is read."""

_PARQUET_ROWS = 4096
_COMPRESSED = (".gz", ".bz2", ".zst")


Reader = Callable[[Path, Columns], Iterator[InputRow]]


def read_rows(
    paths: Sequence[Path], columns: Columns, *, keep: Keep = lambda path, document: None
) -> Iterator[InputRow]:
    """Yield the rows of all inputs, in order.

    A document that cannot be read is one row with its error, unless it is the only input.
    ``keep`` is given the documents whose text was extracted. Raises InputError if an input is
    missing, of an unknown kind, or lacks the text column.
    """
    files = expand(paths)
    ids = DocumentIds()
    for path in files:
        if not is_document(path):
            yield from _reader(path)(path, columns)
            continue
        try:
            yield from document_rows(path, document_id=ids.next(path), keep=keep)
        except InputError as error:
            if len(files) == 1:
                raise
            yield bad_document(path, error)


def expand(paths: Sequence[Path]) -> list[Path]:
    """Replace folders by the readable files in them, sorted, hidden ones left out.

    Raises InputError.
    """
    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(
                p
                for p in path.rglob("*")
                if p.is_file()
                and (is_document(p) or _suffix(p) in _READERS)
                and not is_hidden(p.relative_to(path))
            )
            if not inside:
                raise InputError(f"{path}: no readable file in this folder ({_known()})")
            files += inside
        elif path == STDIN or path.is_file():
            if not is_document(path):
                _reader(path)
            files.append(path)
        else:
            raise InputError(f"{path}: no such file")
    return files


def _reader(path: Path) -> Reader:
    if path == STDIN:
        return _json_rows
    suffix = _suffix(path)
    if suffix not in _READERS or (path.suffix in _COMPRESSED and suffix not in _PACKABLE):
        raise InputError(
            f"{path}: cannot read {path.suffix or 'a file without suffix'} ({_known()})"
        )
    return _READERS[suffix]


def _suffix(path: Path) -> str:
    return Path(path.stem).suffix if path.suffix in _COMPRESSED else path.suffix


def _known() -> str:
    return (
        "known: "
        + ", ".join([*SUFFIXES, *_READERS])
        + "; "
        + ", ".join(_COMPRESSED)
        + " on CSV and JSON"
    )


def _open(path: Path) -> IO[bytes]:
    if path == STDIN:
        return sys.stdin.buffer
    packed = "detect" if path.suffix in _COMPRESSED else None
    return io.BufferedReader(pa.input_stream(path, compression=packed), 2**20)


def _json_rows(path: Path, columns: Columns) -> Iterator[InputRow]:
    with _open(path) as source:
        for number, line in enumerate(_lines(source, path), start=1):
            place = f"{path}:{number}"
            if len(line) > MAX_BYTES:
                yield InputRow(id=place, text=None, error=f"a line of over {MAX_BYTES:,} bytes")
                continue
            if not line.strip():
                continue
            try:
                row = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except UnicodeDecodeError as error:
                yield InputRow(id=place, text=None, error=f"not UTF-8 at byte {error.start}")
            except (ValueError, RecursionError) as error:
                yield InputRow(id=place, text=None, error=f"not valid JSON: {error}")
            else:
                if isinstance(row, dict):
                    yield _row(row, columns, place=place)
                else:
                    yield InputRow(
                        id=place, text=None, error=f"expected an object, found {type(row).__name__}"
                    )


def _lines(source: IO[bytes], path: Path) -> Iterator[bytes]:
    """Lines; of one that is longer than MAX_BYTES its first MAX_BYTES + 1 bytes."""
    try:
        while line := source.readline(MAX_BYTES + 1):
            yield line
            while len(line) > MAX_BYTES and not line.endswith(b"\n"):
                line = source.readline(MAX_BYTES + 1)
    except (OSError, EOFError, pa.ArrowInvalid) as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> InputError:
    return InputError(f"{path}: cannot be read: {' '.join(str(error).split())}")


def _csv_rows(path: Path, columns: Columns) -> Iterator[InputRow]:
    csv.field_size_limit(MAX_BYTES)
    # Bytes that are not UTF-8 become lone surrogates, which the row's check reports.
    with io.TextIOWrapper(
        _open(path),
        encoding="utf-8-sig",
        errors="surrogateescape",
        newline="",
    ) as file:
        reader = csv.reader(file)
        header: list[str] | None = None
        while True:
            place = f"{path}:{reader.line_num + 1}"
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield InputRow(id=place, text=None, error=f"not valid CSV: {error}")
                continue
            except (OSError, EOFError, pa.ArrowInvalid) as error:
                raise _unreadable(path, error) from None
            if header is None:
                _need_text(cells, columns, path)
                header = cells
            elif len(cells) == len(header):
                yield _row(dict(zip(header, cells, strict=True)), columns, place=place)
            elif cells:
                yield InputRow(
                    id=place,
                    text=None,
                    error=f"{len(cells)} cells, the header has {len(header)}",
                )


def _parquet_rows(path: Path, columns: Columns) -> Iterator[InputRow]:
    try:
        with pq.ParquetFile(path) as file:
            yield from parquet_rows(file, columns, place=str(path))
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path}: cannot read as Parquet: {' '.join(str(error).split())}"
        ) from None


def parquet_rows(
    file: pq.ParquetFile,
    columns: Columns,
    *,
    place: str,
    row_groups: Sequence[int] | None = None,
    before: int = 0,
) -> Iterator[InputRow]:
    """The rows of an open file, or of some row groups, ``before`` which there are so many rows.

    Raises InputError if the file lacks a column.
    """
    names = file.schema_arrow.names
    _need_text(names, columns, place)
    named = (columns.text, columns.id, columns.section, columns.lead_in, columns.previous)
    used = {*named, *columns.keep}
    wanted = names if "*" in used else [name for name in names if name in used]
    batches = file.iter_batches(batch_size=_PARQUET_ROWS, columns=wanted, row_groups=row_groups)
    values = (row for batch in batches for row in _values(batch))
    for number, row in enumerate(values, start=before + 1):
        if isinstance(row, str):
            yield InputRow(id=f"{place}:{number}", text=None, error=row)
        else:
            yield _row(row, columns, place=f"{place}:{number}")


def _values(batch: pa.RecordBatch) -> list[dict[str, Any] | str]:
    """The rows of a batch as Python values, or what is wrong with a row."""
    try:
        return batch.to_pylist()  # type: ignore[no-any-return]
    except (ValueError, OverflowError) as error:
        if batch.num_rows == 1:
            what = "not UTF-8" if isinstance(error, UnicodeDecodeError) else "not representable"
            return [f"{what}: {' '.join(str(error).split())}"]
        rows = range(batch.num_rows)
        return [value for row in rows for value in _values(batch.slice(row, 1))]


def _need_text(names: Sequence[str], columns: Columns, path: Path | str) -> None:
    for name in (columns.text, *(k for k in columns.keep if k != "*")):
        if name not in names:
            raise InputError(f"{path}: no column {name!r} (columns: {', '.join(names)})")


def _row(row: Mapping[str, Any], columns: Columns, *, place: str) -> InputRow:
    identity = row.get(columns.id)
    section = row.get(columns.section)
    if isinstance(section, list):
        section = SECTION_SEPARATOR.join(str(part) for part in section)
    text = row.get(columns.text)
    kept = row if columns.keep == ("*",) else {key: row.get(key) for key in columns.keep}
    return InputRow(
        id=place if identity is None or identity == "" else str(identity),
        # What is not a text is handed on: the classifier's check names what it is.
        text=text,
        context=Context(
            section=_text(section),
            lead_in=_text(row.get(columns.lead_in)),
            previous=_text(row.get(columns.previous)),
        ),
        error=f"no field {columns.text!r}" if columns.text not in row else None,
        kept=kept,
        place=place,
    )


def _text(value: Any) -> str:
    # A context that is not a text, or not valid Unicode, is left out rather than losing the row.
    return value if isinstance(value, str) and text_problem(value) is None else ""


_PACKABLE = (".csv", ".jsonl", ".ndjson")
_READERS: dict[str, Reader] = {
    ".csv": _csv_rows,
    ".jsonl": _json_rows,
    ".ndjson": _json_rows,
    ".parquet": _parquet_rows,
}
