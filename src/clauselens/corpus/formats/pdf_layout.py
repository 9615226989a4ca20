"""From the lines of a PDF to blocks: what type, place and recurrence say of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from clauselens.corpus.formats.extraction import (
    CELL_SEPARATOR,
    Extracted,
    Extraction,
    is_bold_heading,
)
from clauselens.corpus.formats.hyphens import join_lines, known_words
from clauselens.corpus.formats.numbering import BULLET, marked
from clauselens.corpus.lines import PARAGRAPH_NUMBERS, parse_marker
from clauselens.records import Role

MARGIN = 0.12
"""Running heads and page numbers stand in this share of the page, above and below."""

_PAGE_NUMBER = re.compile(
    r"[-–—\s]*(?:page|seite|p\.)?\s*\d{1,4}(?:\s*(?:of|/|von)\s*\d{1,4})?[-–—\s]*", re.IGNORECASE
)
_LARGER = 1.12
"""A heading's size, against the body's."""

_HEADING_WORDS = 30
_WIDER_GAP = 1.3
"""Two lines of one paragraph are at most this far apart, against the document's usual pitch."""

_SPACE = 0.25
"""Width of a blank, in ems."""

_SIGN = re.compile(r"^[•▪◦‣●○■]\s+")
_BARE_MARKER = re.compile(r"(?:[•·▪◦‣●○■–-]|\(?\w{1,4}[.)])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of a page. Lengths are in points: ``base`` is the height from below, ``word`` the
    width of the first word, ``bullet`` the left edge of a bullet that is drawn as a shape.
    """

    text: str
    page: int
    left: float
    right: float
    word: float
    base: float
    size: float
    bold: bool
    height: float
    bullet: float | None = None
    cells: int = 1

    @property
    def start(self) -> float:
        """The left edge, a drawn bullet included."""
        return self.left if self.bullet is None else self.bullet

    @property
    def is_marked(self) -> bool:
        return self.bullet is not None or parse_marker(self.text) is not None


@dataclass(frozen=True, slots=True)
class _Paragraph:
    lines: list[Line]
    text: str


def lay_out(lines: Sequence[Line]) -> Extracted:
    """Join lines to blocks. Raises InputError if there is no text."""
    furniture = _furniture(lines)
    body_lines = _rows([line for line in lines if line not in furniture])
    sizes = Counter[float]()
    for line in body_lines:
        sizes[line.size] += len(line.text)
    body = max(sizes, key=lambda size: (sizes[size], size), default=0.0)
    paragraphs = _paragraphs(body_lines, body)
    headings = {id(p) for p in paragraphs if _is_heading(p, body)}
    ranks = sorted({_rank(p) for p in paragraphs if id(p) in headings}, reverse=True)
    out = Extraction()
    waiting = [line for line in lines if line in furniture]
    depths: list[float] = []
    for paragraph in paragraphs:
        first = paragraph.lines[0]
        # What stands between two pages must not cut a paragraph that runs over them.
        while waiting and waiting[0].page < first.page:
            out.add("boilerplate", waiting.pop(0).text)
        role, level = _role(paragraph, depths)
        if id(paragraph) in headings:
            role, level = "heading", ranks.index(_rank(paragraph)) + 1
        if role in ("heading", "paragraph") and not (
            role == "paragraph" and _continues(first, depths)
        ):
            depths.clear()
        text = _SIGN.sub("", paragraph.text)
        own = parse_marker(paragraph.text)
        drawn = first.bullet is not None or (own is not None and text != paragraph.text)
        out.add(role, marked(BULLET, text) if drawn else paragraph.text, level)
    for line in waiting:
        out.add("boilerplate", line.text)
    return out.finish()


def _furniture(lines: Sequence[Line]) -> set[Line]:
    """Running heads, which recur page after page, and page numbers."""
    margins = [
        line for line in lines if not MARGIN * line.height < line.base < (1 - MARGIN) * line.height
    ]
    pages = len({line.page for line in lines})
    seen = defaultdict(set)
    for line in margins:
        seen[_key(line)].add(line.page)
    return {
        line
        for line in margins
        if len(seen[_key(line)]) >= max(2, pages / 2) or _PAGE_NUMBER.fullmatch(line.text)
    }


def _key(line: Line) -> tuple[str, int]:
    # Heads of left and right pages stand at the same height.
    return re.sub(r"\d+", "#", line.text), round(line.base / 4)


def _rows(lines: Sequence[Line]) -> list[Line]:
    """Lines on one level beside each other are the cells of a table row, or a marker with its
    text.
    """
    found: list[Line] = []
    for line in lines:
        last = found[-1] if found else None
        if (
            last is not None
            and last.page == line.page
            and abs(last.base - line.base) < 0.2 * line.size
            and line.left > last.right
        ):
            bare = last.cells == 1 and _BARE_MARKER.fullmatch(last.text)
            between = " " if bare else CELL_SEPARATOR
            cells = last.cells if bare else last.cells + 1
            text = last.text + between + line.text
            found[-1] = replace(last, text=text, right=line.right, cells=cells, size=line.size)
        else:
            found.append(line)
    return found


def _paragraphs(lines: Sequence[Line], body: float) -> list[_Paragraph]:
    edges = _right_edges(lines)
    gaps = [
        above.base - below.base
        for above, below in pairwise(lines)
        if above.page == below.page
        and above.size == below.size == body
        and above.base > below.base
        and _is_full(above, below, edges)
    ]
    pitch = median(gaps) if gaps else 0.0
    found: list[list[Line]] = []
    for line in lines:
        last = found[-1] if found else None
        if last and _goes_on(last, line, edges, pitch, body):
            last.append(line)
        else:
            found.append([line])
    words = known_words(line.text for line in lines)
    return [_Paragraph(p, join_lines([line.text for line in p], words)) for p in found]


def _right_edges(lines: Sequence[Line]) -> dict[Line, float]:
    """How far right a line could have gone: as far as lines above or below it go."""
    edges = {}
    by_page = defaultdict(list)
    for line in lines:
        by_page[line.page].append(line)
    # A last page may have few lines, so the neighbours' edges count where they are alike.
    for page, own in by_page.items():
        near = [line for number in (page - 1, page, page + 1) for line in by_page.get(number, ())]
        for line in own:
            edges[line] = max(
                other.right for other in near if other.left < line.right and other.right > line.left
            )
    return edges


def _is_full(line: Line, following: Line, edges: dict[Line, float]) -> bool:
    """Whether the first word of the next line had no room in this one."""
    space = _SPACE * line.size
    return line.right + space + following.word > edges[line] - space


def _goes_on(
    last: Sequence[Line], line: Line, edges: dict[Line, float], pitch: float, body: float
) -> bool:
    """Whether a line goes on with a paragraph rather than beginning one."""
    previous = last[-1]
    if line.cells > 1 or previous.cells > 1 or line.is_marked:
        return False
    # A bold line is a heading, while stress inside a paragraph is bold too.
    if line.size != previous.size or (len(last) == 1 and previous.bold and not line.bold):
        return False
    # Headings break where it suits them.
    broken_heading = line.size > body and line.text[0].islower()
    if not broken_heading and not _is_full(previous, line, edges):
        return False
    dedented = line.left < previous.left - line.size / 2
    if dedented and (len(last) > 1 or last[0].is_marked):
        return False
    if line.page != previous.page:
        ended = re.search(r"[.!?:;]$", previous.text) is not None
        return not ended or line.text[:1].islower()
    gap = previous.base - line.base
    return 0 < gap <= _WIDER_GAP * pitch * max(1.0, line.size / body)


def _is_heading(paragraph: _Paragraph, body: float) -> bool:
    first = paragraph.lines[0]
    text = paragraph.text
    if first.cells > 1 or first.bullet is not None:
        return False
    if first.size >= _LARGER * body:
        return len(text.split()) <= _HEADING_WORDS
    return all(line.bold for line in paragraph.lines) and is_bold_heading(text)


def _rank(paragraph: _Paragraph) -> tuple[float, bool]:
    return paragraph.lines[0].size, paragraph.lines[0].bold


def _role(paragraph: _Paragraph, depths: list[float]) -> tuple[Role, int]:
    """The role of what is no heading; ``depths`` are the left edges of the open lists."""
    first = paragraph.lines[0]
    if first.cells > 1:
        return "table_row", 0 if first.bold else 1
    marker = parse_marker(first.text)
    if first.bullet is None and (marker is None or marker.style in PARAGRAPH_NUMBERS):
        return "paragraph", 0
    while depths and first.start < depths[-1] - first.size / 2:
        depths.pop()
    if not depths or first.start > depths[-1] + first.size / 2:
        depths.append(first.start)
    return "list_item", len(depths)


def _continues(line: Line, depths: list[float]) -> bool:
    """Whether a paragraph stands inside the innermost open list."""
    return bool(depths) and line.left > depths[-1] + line.size / 2
