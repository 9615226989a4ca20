"""Headings, contents lists and pieces of text, from the lines of a document."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from clauselens.corpus.lines import (
    PARAGRAPH_NUMBERS,
    Marker,
    introduces_list,
    is_bracketed,
    is_date_line,
    is_policy_title,
    is_title,
    key_of,
    opens_topic,
    parse_marker,
)

_CAPS_WORD = r"(?:[A-Z][A-Z'’&/\-]*[A-Z'’]|&|[AI])"
_CAPS_RUN = re.compile(
    rf"(?<!\S){_CAPS_WORD}(?:,?\s+{_CAPS_WORD})+(?:[!?]|(?=\s+[A-Z][a-z]|\s+[AI]\s|\s*$))"
)
_CONTENTS_INTRO = re.compile(
    r"\b(?:this|our|the)\s+(?:\w+\s+){0,2}?(?:policy|statement|notice|document)\b.{0,40}"
    r"(?:describes|explains|covers|contains|includes|help)|\bcontents\b",
    re.IGNORECASE,
)

CONTENTS_ITEMS = 3
"""A contents list has at least this many entries."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or the part of a line between capital headings, without surrounding blanks."""

    start: int
    end: int
    text: str
    marker: Marker | None
    capitals: bool

    @property
    def style(self) -> str:
        """What tells levels of headings and lists apart."""
        if is_bracketed(self.text):
            return "【】"
        if self.marker:
            return self.marker.style
        return "CAPITALS" if self.capitals else "title"


@dataclass(frozen=True, slots=True)
class Outline:
    """The roles of a document's pieces, by index.

    ``headings_missing`` says that the contents list names headings which the text lacks, so
    that a heading's end cannot be seen.
    """

    pieces: tuple[Piece, ...]
    headings: frozenset[int]
    contents: frozenset[int]
    named: frozenset[int]
    front: frozenset[int]
    headings_missing: bool


def outline(text: str) -> Outline:
    """Find the pieces of ``text`` and the role of each."""
    pieces = tuple(_pieces(text))
    contents, entries = _contents(pieces)
    named = frozenset(
        index
        for index, piece in enumerate(pieces)
        if index not in contents and key_of(piece.text) in entries
    )
    prose = [
        index
        for index, piece in enumerate(pieces)
        if index not in contents | named
        and not is_title(piece.text)
        and not is_date_line(piece.text)
    ]
    first_prose = prose[0] if prose else len(pieces)
    front = frozenset(
        index
        for index, piece in enumerate(pieces)
        if is_date_line(piece.text)
        or (
            index < first_prose
            and piece.marker is None
            and index not in named
            and not is_policy_title(piece.text)
            and not opens_topic(piece.text)
        )
    )
    headings = frozenset(
        index
        for index in range(len(pieces))
        if index in named
        or (index not in contents | front and _is_heading(pieces, index, contents, first_prose))
    )
    found = {key_of(pieces[index].text) for index in named}
    return Outline(
        pieces=pieces,
        headings=headings,
        contents=contents,
        named=named,
        front=front - headings,
        headings_missing=2 * len(found) < len(entries),
    )


def _pieces(text: str) -> list[Piece]:
    pieces = []
    for line in re.finditer(r"[^\r\n]+", text):
        cuts = [line.start()]
        capitals = set()
        for run in _CAPS_RUN.finditer(line.group()):
            before = line.group()[: run.start()].rstrip()
            after_stop = not before or before[-1] in ".!?:"
            # Two capital words in mid-sentence are a name; three or more are a heading.
            if after_stop or len(run.group().split()) > 2:
                numbered = parse_marker(line.group().lstrip())
                alone = numbered and before.strip() == line.group().strip()[: numbered.length]
                # The number of a heading belongs to it.
                start = line.start() + (0 if alone else run.start())
                capitals.add(start)
                cuts += [start, line.start() + run.end()]
        cuts.append(line.end())
        for left, right in pairwise(cuts):
            piece = text[left:right]
            if piece.strip():
                start = left + len(piece) - len(piece.lstrip())
                body = piece.strip()
                pieces.append(
                    Piece(start, start + len(body), body, parse_marker(body), left in capitals)
                )
    return pieces


def _contents(pieces: tuple[Piece, ...]) -> tuple[frozenset[int], frozenset[str]]:
    """The indices of contents entries, and the headings that they name."""
    occurrences = Counter(key_of(piece.text) for piece in pieces)
    indices: set[int] = set()
    entries: set[str] = set()
    start = 0
    while start < len(pieces):
        run = _run_of_titles(pieces, start)
        keys = [key_of(pieces[index].text) for index in run]
        recurring = sum(occurrences[key] > 1 for key in keys)
        introduced = start > 0 and (
            introduces_list(pieces[start - 1].text)
            and _CONTENTS_INTRO.search(pieces[start - 1].text) is not None
        )
        if len(run) >= CONTENTS_ITEMS and (introduced or 2 * recurring > len(run)):
            indices.update(run)
            entries.update(keys)
        start = run[-1] + 1 if run else start + 1
    return frozenset(indices), frozenset(entries)


def _run_of_titles(pieces: tuple[Piece, ...], start: int) -> list[int]:
    """A run of titles in one marker style; an entry that the run already has ends it."""
    run: list[int] = []
    seen: set[str] = set()
    for index in range(start, len(pieces)):
        piece = pieces[index]
        key = key_of(piece.text)
        if piece.marker is None or not is_title(piece.text) or key in seen:
            break
        if run and piece.style != pieces[start].style:
            break
        run.append(index)
        seen.add(key)
    return run


def _is_heading(
    pieces: tuple[Piece, ...], index: int, contents: frozenset[int], first_prose: int
) -> bool:
    piece = pieces[index]
    if piece.capitals or is_bracketed(piece.text):
        return True
    if not is_title(piece.text):
        return False
    if piece.marker is None:
        if index < first_prose:
            return True
        following = pieces[index + 1] if index + 1 < len(pieces) else None
        if following is None or index + 1 in contents:
            return False
        previous = pieces[index - 1]
        # Behind a colon, a verbless line is what the colon announces, unless prose follows.
        return not introduces_list(previous.text) or not is_title(following.text)
    following = pieces[index + 1] if index + 1 < len(pieces) else None
    if following is None or following.style == piece.style:
        return False
    # Behind an item of its own style, it is the list's last item, left without a stop.
    numbers_paragraphs = piece.style in PARAGRAPH_NUMBERS
    return index == 0 or numbers_paragraphs or pieces[index - 1].style != piece.style
