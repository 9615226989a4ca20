"""How well unit boundaries match boundaries that were marked by hand on the raw text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from clauselens.corpus.segmenter import bare_spans
from clauselens.corpus.sentences import segment_document
from clauselens.errors import InputError
from clauselens.records import Document
from clauselens.storage import field, read_jsonl


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A contiguous stretch ``text[start:end]`` of a document and the unit starts in it."""

    document_id: str
    start: int
    end: int
    boundaries: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryScore:
    """Counts over unit starts; the rates are derived and lie in [0, 1]."""

    found: int
    marked: int
    matched: int

    @property
    def precision(self) -> float:
        return self.matched / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        return self.matched / self.marked if self.marked else 0.0

    @property
    def f1(self) -> float:
        total = self.found + self.marked
        return 2 * self.matched / total if total else 0.0


def read_stretches(path: Path) -> list[Stretch]:
    """Read hand-marked stretches from JSON Lines. Raises InputError."""
    stretches = []
    for place, row in read_jsonl(path):
        boundaries = field(row, "boundaries", list, place=place)
        stretch = Stretch(
            document_id=field(row, "document_id", str, place=place),
            start=field(row, "start", int, place=place),
            end=field(row, "end", int, place=place),
            boundaries=tuple(boundaries),
        )
        if not all(stretch.start <= boundary < stretch.end for boundary in boundaries):
            raise InputError(f"{place}: a boundary lies outside {stretch.start}-{stretch.end}")
        stretches.append(stretch)
    return stretches


def unit_starts(document: Document) -> list[int]:
    """Where the project's own units start."""
    return [sentence.start for sentence in segment_document(document)]


def bare_starts(document: Document) -> list[int]:
    """Where the bare segmenter's sentences start, given the whole text."""
    return [start for start, _ in bare_spans(document.text)]


def bare_line_starts(document: Document) -> list[int]:
    """Where the bare segmenter's sentences start, given one line at a time."""
    starts: list[int] = []
    offset = 0
    for line in document.text.splitlines(keepends=True):
        starts += [offset + start for start, _ in bare_spans(line)]
        offset += len(line)
    return starts


def score_boundaries(
    stretches: Sequence[Stretch], starts: dict[str, Iterable[int]]
) -> BoundaryScore:
    """Compare unit starts, by document id, with the marks. A start at a stretch's own first
    character counts only if it was marked, since a stretch may begin inside a unit.
    """
    found = marked = matched = 0
    for stretch in stretches:
        if stretch.document_id not in starts:
            raise InputError(f"marks name the document {stretch.document_id!r}, which is not there")
        gold = set(stretch.boundaries)
        ours = {
            start
            for start in starts[stretch.document_id]
            if stretch.start < start < stretch.end or start in gold
        }
        found += len(ours)
        marked += len(gold)
        matched += len(ours & gold)
    return BoundaryScore(found=found, marked=marked, matched=matched)
