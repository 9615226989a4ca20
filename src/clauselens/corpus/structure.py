"""Headings, contents lists and pieces of text, from the lines of a document and its blocks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
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
from clauselens.records import Block, Role

_CAPS_WORD = r"(?:[A-Z][A-Z'’&/\-]*[A-Z'’]|&|[AI])"
_CAPS_RUN = re.compile(
    rf"(?<!\S){_CAPS_WORD}(?:,?\s+{_CAPS_WORD})+(?:[!?]|(?=\s+[A-Z][a-z]|\s+[AI]\s|\s*$))"
)
_LINE = re.compile(r"[^\r\n]+")
_CONTENTS_INTRO = re.compile(
    r"\b(?:this|our|the)\s+(?:\w+\s+){0,2}?(?:policy|statement|notice|document)\b.{0,40}"
    r"(?:describes|explains|covers|contains|includes|help)|\bcontents\b",
    re.IGNORECASE,
)

CONTENTS_ITEMS = 3
"""A contents list has at least this many entries."""

MARKED_HEADINGS = 2
"""With as many headings beside its title, a document's markup names them all."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, or the part of a line between capital headings, without surrounding blanks.

    ``block`` is the one that holds it, if the document has blocks.
    """

    start: int
    end: int
    text: str
    marker: Marker | None
    capitals: bool
    block: Block | None = None

    @property
    def role(self) -> Role | None:
        return self.block.role if self.block else None

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

    ``titles`` are headings that head the whole document. ``headings_missing`` says that the
    contents list names headings which the text lacks, so that a heading's end cannot be seen.
    """

    pieces: tuple[Piece, ...]
    headings: frozenset[int]
    contents: frozenset[int]
    named: frozenset[int]
    front: frozenset[int]
    titles: frozenset[int]
    headings_missing: bool


def outline(text: str, blocks: Sequence[Block] = ()) -> Outline:
    """Find the pieces of ``text`` and the role of each.

    Where there are ``blocks``, their roles hold and the lexical rules fill in; blocks of
    boilerplate have no pieces.
    """
    marked = [block for block in blocks if block.role == "heading"]
    outermost = min((block.level for block in marked), default=0)
    sections = sum(block.level > outermost or not _titles(text, block) for block in marked)
    trusted = sections >= MARKED_HEADINGS
    pieces = tuple(_marked_pieces(text, blocks, trusted=trusted) if blocks else _pieces(text))
    contents, entries = _contents(pieces)
    named = frozenset(
        index
        for index, piece in enumerate(pieces)
        if index not in contents
        and piece.role in (None, "paragraph", "heading")
        and key_of(piece.text) in entries
    )
    prose = [
        index
        for index, piece in enumerate(pieces)
        if index not in contents | named
        and piece.role != "heading"
        and not is_title(piece.text)
        and not is_date_line(piece.text)
    ]
    first_prose = prose[0] if prose else len(pieces)
    front = _front(pieces, named, first_prose)
    headings = frozenset(
        index
        for index, piece in enumerate(pieces)
        if index in named
        or piece.role == "heading"
        or (
            index not in contents | front
            and piece.role in (None, "paragraph")
            and (
                is_bracketed(piece.text)
                if trusted
                else _is_heading(pieces, index, contents, first_prose)
            )
        )
    )
    found = {key_of(pieces[index].text) for index in named}
    return Outline(
        pieces=pieces,
        headings=headings,
        contents=contents,
        named=named,
        front=front - headings,
        titles=_title_headings(pieces, headings),
        headings_missing=2 * len(found) < len(entries),
    )


def _titles(text: str, block: Block) -> bool:
    return is_policy_title(text[block.start : block.end])


def _front(pieces: tuple[Piece, ...], named: frozenset[int], first_prose: int) -> frozenset[int]:
    """The indices of what stands before the policy itself: menus, names, dates."""
    marked = [index for index, piece in enumerate(pieces) if piece.role == "heading"]
    menu_end = marked[0] if marked else 0
    front_end = min(first_prose, marked[1] if len(marked) > 1 else first_prose)
    return frozenset(
        index
        for index, piece in enumerate(pieces)
        if piece.role not in ("heading", "table_row")
        and (
            is_date_line(piece.text)
            or (index < min(menu_end, first_prose) and is_title(piece.text))
            or (
                index < front_end
                and piece.marker is None
                and index not in named
                and not is_policy_title(piece.text)
                and not opens_topic(piece.text)
            )
        )
    )


def _title_headings(pieces: tuple[Piece, ...], headings: frozenset[int]) -> frozenset[int]:
    """The headings that name the document, if they stand before its prose."""
    ranks = [piece.block.level for piece in pieces if piece.block and piece.role == "heading"]
    outermost = min(ranks, default=0)
    # The only heading of its rank above all others names the document, whatever it says.
    alone = ranks.count(outermost) == 1 and len(ranks) > 1
    return frozenset(
        index
        for index in headings
        if pieces[index].style in ("title", "CAPITALS")
        and (
            (_rank(pieces[index]) in (None, outermost) and is_policy_title(pieces[index].text))
            or (alone and _rank(pieces[index]) == outermost)
        )
    )


def _rank(piece: Piece) -> int | None:
    return piece.block.level if piece.block and piece.role == "heading" else None


def _marked_pieces(text: str, blocks: Sequence[Block], *, trusted: bool) -> list[Piece]:
    """The lines of all blocks but boilerplate; capitals head nothing where headings are marked."""
    return [
        piece
        for block in blocks
        if block.role != "boilerplate"
        for piece in _pieces(text, block, capitals=not trusted and block.role == "paragraph")
    ]


def _pieces(text: str, block: Block | None = None, *, capitals: bool = True) -> list[Piece]:
    pieces = []
    bounds = (block.start, block.end) if block else (0, len(text))
    for line in _LINE.finditer(text, *bounds):
        starts, cuts = _capital_runs(line) if capitals else (set(), [])
        for left, right in pairwise([line.start(), *cuts, line.end()]):
            piece = text[left:right]
            if piece.strip():
                start = left + len(piece) - len(piece.lstrip())
                body = piece.strip()
                end = start + len(body)
                pieces.append(Piece(start, end, body, parse_marker(body), left in starts, block))
    return pieces


def _capital_runs(line: re.Match[str]) -> tuple[set[int], list[int]]:
    """Where headings in capitals start, and where they cut the line."""
    starts, cuts = set(), []
    for run in _CAPS_RUN.finditer(line.group()):
        before = line.group()[: run.start()].rstrip()
        after_stop = not before or before[-1] in ".!?:"
        # Two capital words in mid-sentence are a name; three or more are a heading.
        if after_stop or len(run.group().split()) > 2:
            numbered = parse_marker(line.group().lstrip())
            alone = numbered and before.strip() == line.group().strip()[: numbered.length]
            # The number of a heading belongs to it.
            start = line.start() + (0 if alone else run.start())
            starts.add(start)
            cuts += [start, line.start() + run.end()]
    return starts, cuts


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
        if piece.role in ("heading", "table_row"):
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
