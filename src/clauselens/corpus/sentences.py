"""From a document to its units: sentences and list items with section and lead-in."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from clauselens.corpus.lines import (
    PARAGRAPH_NUMBERS,
    body_of,
    has_finite_verb,
    introduces_list,
    is_title,
)
from clauselens.corpus.segmenter import sentence_spans
from clauselens.corpus.structure import Outline, Piece, outline
from clauselens.records import Document, Kind, Sentence

_ENUMERATES = re.compile(
    r"\b(?:following|below|as follows|here are|these|examples?)\b", re.IGNORECASE
)

_FIRST = frozenset({"1", "a", "A", "i", "I"})

COMMON_SHARE = 0.2
"""A word in more than this share of a document's prose says nothing about a section."""


@dataclass(slots=True)
class _Level:
    """An open list; ``depth`` is 0 unless the markup shows the list."""

    style: str
    lead_in: str
    number: int
    depth: int = 0


@dataclass(frozen=True, slots=True)
class _Heading:
    """An open heading; ``level`` is its rank in the markup, if it comes from there."""

    style: str
    title: str
    level: int | None


@dataclass(slots=True)
class _Walk:
    """What holds at the present place of the document."""

    document: Document
    outline: Outline
    common: frozenset[str]
    sentences: list[Sentence] = field(default_factory=list)
    headings: list[_Heading] = field(default_factory=list)
    lists: list[_Level] = field(default_factory=list)
    pending: str = ""
    pending_depth: int = 0
    row_lead_in: str = ""
    blocks_under_heading: int = 0

    def emit(
        self, start: int, end: int, kind: Kind, *, lead_in: str = "", placed: bool = True
    ) -> None:
        self.sentences.append(
            Sentence(
                id=f"{self.document.id}:{start}-{end}",
                document_id=self.document.id,
                start=start,
                end=end,
                text=self.document.text[start:end],
                kind=kind,
                section=tuple(heading.title for heading in self.headings) if placed else (),
                lead_in=lead_in,
            )
        )


def segment_document(document: Document) -> list[Sentence]:
    """Split a document into units that together cover every non-blank character, in order.

    The blocks of a document hold where it has some; lexical rules do the rest.
    """
    found = outline(document.text, document.blocks)
    walk = _Walk(document, found, _common_words(found))
    for index, piece in enumerate(found.pieces):
        if index in found.contents or index in found.front:
            walk.emit(piece.start, piece.end, "boilerplate", placed=False)
            walk.pending = ""
            walk.lists.clear()
        elif index in found.headings:
            _heading(walk, index, piece)
        elif piece.role == "table_row":
            _row(walk, piece)
        else:
            _text(walk, piece)
    for block in document.blocks:
        # It stands apart from what it interrupts, such as a list that runs over two pages.
        if block.role == "boilerplate":
            walk.emit(block.start, block.end, "boilerplate", placed=False)
    return sorted(walk.sentences, key=lambda sentence: sentence.start)


def _heading(walk: _Walk, index: int, piece: Piece) -> None:
    walk.lists.clear()
    walk.pending = walk.row_lead_in = ""
    walk.blocks_under_heading = 0
    before_prose = not any(sentence.is_clause for sentence in walk.sentences)
    if before_prose and index in walk.outline.titles:
        # The document's own title heads everything, so it tells nothing of a section.
        walk.emit(piece.start, piece.end, "heading", placed=False)
        return
    # Numbers restart at will, so a heading that the contents list names outranks its marker.
    style = "named" if index in walk.outline.named else piece.style
    level = piece.block.level if piece.block and piece.role == "heading" else None
    _close_headings(walk.headings, style, level)
    walk.emit(piece.start, piece.end, "heading")
    walk.headings.append(_Heading(style, _title_of(piece), level))


def _close_headings(headings: list[_Heading], style: str, level: int | None) -> None:
    """Remove the headings that do not hold a new one."""
    if level is not None:
        holds = [heading.level is not None and heading.level < level for heading in headings]
    else:
        # A heading that was typed as text stands within those of the markup.
        top = style in ("named", "【】", "CAPITALS")
        holds = [
            heading.level is not None or (not top and heading.style != style)
            for heading in headings
        ]
    if False in holds:
        del headings[holds.index(False) :]


def _title_of(piece: Piece) -> str:
    return body_of(piece.text).strip("【】[]:： ")


def _row(walk: _Walk, piece: Piece) -> None:
    """A row of a table is one unit, which the header row introduces."""
    header = piece.block is not None and piece.block.level == 0
    if header or walk.pending:
        walk.row_lead_in = piece.text if header else walk.pending
    walk.pending = ""
    kind: Kind = "heading" if header else "list_item"
    walk.emit(piece.start, piece.end, kind, lead_in="" if header else walk.row_lead_in)


def _text(walk: _Walk, piece: Piece) -> None:
    walk.row_lead_in = ""
    if piece.block is not None and piece.role == "list_item":
        lead_in, listed = _marked_place(walk, piece, piece.block.level), True
    else:
        lead_in, listed = _list_place(walk, piece)
    if not listed and _section_has_ended(walk, piece):
        walk.headings.clear()
    walk.blocks_under_heading += 1
    spans = sentence_spans(piece.text)
    flattened = False
    for position, (start, end) in enumerate(spans):
        text = piece.text[start:end]
        opens_list = introduces_list(text) and _ENUMERATES.search(text) is not None
        if flattened and opens_list:
            lead_in, flattened = "", False
        walk.emit(
            piece.start + start,
            piece.start + end,
            "list_item" if listed or flattened else "sentence",
            lead_in=lead_in,
        )
        if opens_list and position + 1 < len(spans):
            # A list that was flattened into its paragraph.
            lead_in, flattened = text, True
    last = walk.sentences[-1]
    walk.pending = last.text if introduces_list(last.text) else ""
    walk.pending_depth = walk.lists[-1].depth if listed and walk.lists else 0
    if walk.lists and not listed:
        walk.lists.clear()


def _marked_place(walk: _Walk, piece: Piece, depth: int) -> str:
    """The lead-in that reaches a list item of the markup, ``depth`` lists deep."""
    pending = walk.pending if walk.pending_depth < depth else ""
    walk.pending = ""
    while walk.lists and not 0 < walk.lists[-1].depth <= depth:
        walk.lists.pop()
    number = int(piece.marker.value) if piece.marker and piece.marker.value.isdigit() else 0
    level = walk.lists[-1] if walk.lists else None
    if level is None or level.depth < depth or pending:
        if level is not None and level.depth == depth:
            walk.lists.pop()
        inherited = walk.lists[-1].lead_in if walk.lists else ""
        level = _Level("marked", pending or inherited, number, depth)
        walk.lists.append(level)
    elif number:
        if number <= level.number:
            level.lead_in = ""  # A sibling list, as below.
        level.number = number
    return level.lead_in


def _list_place(walk: _Walk, piece: Piece) -> tuple[str, bool]:
    """The lead-in that reaches ``piece``, and whether it is a list item."""
    pending, walk.pending = walk.pending, ""
    if walk.lists and walk.lists[0].depth:
        walk.lists.clear()
    marker = piece.marker
    if marker is None or marker.style in PARAGRAPH_NUMBERS:
        verbless = marker is None and not has_finite_verb(piece.text)
        previous = walk.lists[-1] if walk.lists and walk.lists[-1].style == "unmarked" else None
        if verbless and (pending or previous):
            if pending:
                walk.lists = [_Level("unmarked", pending, 0)]
            return walk.lists[-1].lead_in, True
        walk.lists.clear()
        return "", False
    number = int(marker.value) if marker.value.isdigit() else 0
    styles = [level.style for level in walk.lists]
    if marker.style in styles and not pending:
        del walk.lists[styles.index(marker.style) + 1 :]
        level = walk.lists[-1]
        if number and number <= level.number:
            # The count starts anew: a sibling list, which the old lead-in does not introduce.
            level.lead_in = ""
        level.number = number
        return level.lead_in, True
    if marker.style in styles:
        del walk.lists[styles.index(marker.style) :]
    elif marker.value.isalnum() and marker.value not in _FIRST:
        # Not a nested list, which would start with its first number, but an outer one going on.
        walk.lists.clear()
    inherited = walk.lists[-1].lead_in if walk.lists else ""
    walk.lists.append(_Level(marker.style, pending or inherited, number))
    return walk.lists[-1].lead_in, True


def _section_has_ended(walk: _Walk, piece: Piece) -> bool:
    """Whether prose has left its section without a heading to show it.

    Only where the contents list names headings that the text lacks: there, a heading reaches
    its first block, and on as long as the prose keeps to the heading's own words.
    """
    if not walk.outline.headings_missing or not walk.blocks_under_heading or not walk.headings:
        return False
    topic = _words(walk.headings[-1].title) - walk.common
    return not topic & _words(piece.text)


def _common_words(found: Outline) -> frozenset[str]:
    prose = [
        _words(piece.text)
        for index, piece in enumerate(found.pieces)
        if index not in found.contents and not is_title(piece.text)
    ]
    counts = Counter(word for words in prose for word in words)
    return frozenset(word for word, count in counts.items() if count > COMMON_SHARE * len(prose))


def _words(text: str) -> frozenset[str]:
    # Plural and singular count as one word.
    return frozenset(word.rstrip("s") for word in re.findall(r"[a-z]{4,}", text.casefold()))
