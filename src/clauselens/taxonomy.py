"""The label set, its order and its mappings, read from a YAML file.

The taxonomy is data: nothing in this package names a category.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clauselens.errors import InputError
from clauselens.storage import read_yaml

_ID = re.compile(r"[^\s;|][^;|\n]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One label: its id, its definition, what it excludes, and its counterparts elsewhere."""

    id: str
    definition: str
    excludes: str
    mappings: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taxonomy:
    """An ordered set of categories with a name and a version."""

    name: str
    version: str
    categories: tuple[Category, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The category ids in their order: column ``j`` of every score matrix is ``labels[j]``."""
        return tuple(category.id for category in self.categories)

    def sort(self, labels: Iterable[str], *, where: str) -> tuple[str, ...]:
        """Return ``labels`` without repeats in the taxonomy's order.

        ``where`` names the place they came from, for the error. Raises InputError on an
        unknown label.
        """
        given = set(labels)
        for label in sorted(given.difference(self.labels)):
            raise InputError(f"{where}: unknown label {label!r}{nearest(label, self.labels)}")
        return tuple(label for label in self.labels if label in given)

    def to_dict(self) -> dict[str, Any]:
        """The YAML form, as ``taxonomy_from_dict`` reads it."""
        return {
            "name": self.name,
            "version": self.version,
            "categories": [
                {
                    "id": category.id,
                    "definition": category.definition,
                    "excludes": category.excludes,
                    "mappings": dict(category.mappings),
                }
                for category in self.categories
            ],
        }


def nearest(word: str, known: Sequence[str]) -> str:
    """`` (did you mean 'x'?)`` for the known word closest to ``word``, or the known words."""
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f" (did you mean {close[0]!r}?)"
    return f" (known: {', '.join(known)})"


def taxonomy_from_dict(data: Any, *, where: str) -> Taxonomy:
    """Check and build a taxonomy. ``where`` names its file in errors. Raises InputError."""
    if not isinstance(data, dict) or not isinstance(data.get("categories"), list):
        raise InputError(f"{where}: a taxonomy is a mapping with a list 'categories'")
    categories: list[Category] = []
    for position, entry in enumerate(data["categories"], start=1):
        if isinstance(entry, str):
            entry = {"id": entry}
        label = entry.get("id") if isinstance(entry, dict) else None
        if not isinstance(label, str) or not _ID.fullmatch(label):
            raise InputError(f"{where}: category {position} needs an 'id' without semicolon or bar")
        if label in {category.id for category in categories}:
            raise InputError(f"{where}: category {position} repeats the id {label!r}")
        mappings = entry.get("mappings") or {}
        categories.append(
            Category(
                id=label,
                definition=str(entry.get("definition") or ""),
                excludes=str(entry.get("excludes") or ""),
                mappings=tuple((str(key), str(value)) for key, value in mappings.items()),
            )
        )
    if not categories:
        raise InputError(f"{where}: a taxonomy needs at least one category")
    return Taxonomy(
        name=str(data.get("name", "")),
        version=str(data.get("version", "")),
        categories=tuple(categories),
    )


def read_taxonomy(path: Path) -> Taxonomy:
    """Read a taxonomy file. Raises InputError if it is missing or malformed."""
    return taxonomy_from_dict(read_yaml(path), where=str(path))
