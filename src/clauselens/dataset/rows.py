"""Dataset rows on disk: reading them with checks, and the rows of a built dataset."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clauselens.dataset.duplicates import duplicate_groups
from clauselens.dataset.splits import SPLITS
from clauselens.errors import InputError
from clauselens.records import CLAUSE_KINDS, SECTION_SEPARATOR, Example
from clauselens.storage import read_jsonl
from clauselens.taxonomy import Taxonomy

COLUMNS = (
    "id",
    "document_id",
    "start",
    "end",
    "text",
    "kind",
    "section",
    "lead_in",
    "previous",
    "labels",
    "duplicate_group",
    "split",
)
LABEL_SEPARATOR = ";"
"""Between the labels of one CSV cell."""


def to_row(example: Example) -> dict[str, Any]:
    return {
        column: list(example.labels) if column == "labels" else getattr(example, column)
        for column in COLUMNS
    }


def read_examples(path: Path, *, taxonomy: Taxonomy) -> list[Example]:
    """Read a dataset: a folder of ``train.jsonl``, ``validation.jsonl`` …, or one file.

    A row needs only ``text`` and ``labels`` (a list; in CSV, ids joined by ``;``); ids, splits
    and duplicate groups are made where they are missing. Raises InputError with file and row.
    """
    examples = read_ungrouped(path, taxonomy=taxonomy)
    if any(e.duplicate_group < 0 for e in examples if e.kind in CLAUSE_KINDS):
        examples = with_groups(examples)
    return examples


def read_ungrouped(path: Path, *, taxonomy: Taxonomy) -> list[Example]:
    """The same without making groups: a row has that of its file, or -1."""
    if path.is_dir():
        files = [path / f"{split}.jsonl" for split in SPLITS if (path / f"{split}.jsonl").exists()]
        if not files:
            raise InputError(f"{path}: no train.jsonl in this folder")
    else:
        files = [path]
    examples: list[Example] = []
    for file in files:
        default_split = file.stem if file.stem in SPLITS else "train"
        for place, row in _rows(file):
            examples.append(_example(row, place=place, split=default_split, taxonomy=taxonomy))
    if not examples:
        raise InputError(f"{path}: no rows")
    repeated = _first_repeat([example.id for example in examples])
    if repeated is not None:
        raise InputError(f"{path}: the id {repeated!r} stands in two rows")
    return examples


def with_groups(examples: Sequence[Example]) -> list[Example]:
    """Number the near-duplicate groups of the clauses; headings and boilerplate get -1."""
    rows = [example for example in examples if example.kind in CLAUSE_KINDS]
    groups = duplicate_groups([example.text for example in rows])
    of = {example.id: int(group) for example, group in zip(rows, groups, strict=True)}
    return [replace(example, duplicate_group=of.get(example.id, -1)) for example in examples]


def clauses(examples: Sequence[Example], *splits: str) -> list[Example]:
    """The rows of ``splits`` that carry labels: no headings, no boilerplate."""
    return [e for e in examples if e.split in splits and e.kind in CLAUSE_KINDS]


def _rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if file.suffix == ".csv":
        return _csv_rows(file)
    if file.suffix in (".jsonl", ".ndjson"):
        return read_jsonl(file)
    raise InputError(f"{file}: a dataset is a folder, a .jsonl or a .csv file")


def _csv_rows(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    try:
        handle = file.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    with handle:
        reader = csv.DictReader(handle)
        if "labels" not in (reader.fieldnames or ()):
            raise InputError(f"{file}: no column 'labels' (columns: {reader.fieldnames})")
        try:
            for number, row in enumerate(reader, start=2):
                place = f"{file}:{number}"
                if None in row or None in row.values():
                    raise InputError(
                        f"{place}: the row has another number of cells than the header"
                    )
                labels = [part.strip() for part in row["labels"].split(LABEL_SEPARATOR)]
                yield place, {**row, "labels": [label for label in labels if label]}
        except (UnicodeDecodeError, csv.Error) as error:
            raise InputError(f"{file}: cannot read as CSV in UTF-8: {error}") from None


def _example(row: dict[str, Any], *, place: str, split: str, taxonomy: Taxonomy) -> Example:
    text = row.get("text")
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{place}: 'text' is {text!r}, expected a text that is not empty")
    labels = row.get("labels")
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise InputError(f"{place}: 'labels' is {labels!r}, expected a list of label ids")
    split = str(row.get("split") or split)
    if split not in SPLITS:
        raise InputError(f"{place}: 'split' is {split!r} (known: {', '.join(SPLITS)})")
    section = row.get("section") or ""
    if isinstance(section, list):
        section = SECTION_SEPARATOR.join(str(part) for part in section)
    example = Example(
        id=str(row.get("id") or place),
        text=text,
        labels=taxonomy.sort(labels, where=place),
        document_id=str(row.get("document_id") or ""),
        start=_integer(row, "start", place=place),
        end=_integer(row, "end", place=place),
        kind=str(row.get("kind") or "sentence"),
        section=str(section),
        lead_in=str(row.get("lead_in") or ""),
        previous=str(row.get("previous") or ""),
        duplicate_group=_integer(row, "duplicate_group", place=place),
        split=split,
    )
    for name in ("id", "text", "document_id", "kind", "section", "lead_in", "previous"):
        value = getattr(example, name)
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise InputError(f"{place}: {name!r} is not valid Unicode (a lone surrogate)")
    return example


def _integer(row: dict[str, Any], key: str, *, place: str) -> int:
    value = row.get(key)
    if value is None or value == "":
        return -1
    try:
        return int(value)
    except (TypeError, ValueError):
        raise InputError(f"{place}: {key!r} is {value!r}, expected a whole number") from None


def _first_repeat(ids: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for id_ in ids:
        if id_ in seen:
            return id_
        seen.add(id_)
    return None
