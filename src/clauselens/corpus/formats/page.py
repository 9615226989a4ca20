"""HTML: headings, lists, tables and boilerplate by their tags. Nothing that a page names is
fetched, no script is run, and hidden text is read: policies fold their sections away.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from selectolax.lexbor import LexborHTMLParser, LexborNode

from clauselens.corpus.formats.decoding import decode
from clauselens.corpus.formats.extraction import (
    BOLD_LEVEL,
    CELL_SEPARATOR,
    Extracted,
    Extraction,
    is_bold_heading,
)
from clauselens.corpus.formats.numbering import BULLET, marked, numbered
from clauselens.corpus.formats.tags import BLOCKS, SKIPPED, is_furniture
from clauselens.corpus.lines import is_title

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_SUMMARY_LEVEL = 7
_BOLD = re.compile(r"font-weight\s*:\s*(?:bold|[6-9]00)", re.IGNORECASE)
_CHARSET = re.compile(rb"""<(?:meta|\?xml)\b[^>]*?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""")
_CHARSET_WITHIN = 4096


def extract(data: bytes) -> Extracted:
    """Read a page. Raises InputError."""
    declared = _CHARSET.search(data[:_CHARSET_WITHIN].lower())
    return extract_markup(decode(data, declared=declared.group(1).decode() if declared else None))


def extract_markup(html: str) -> Extracted:
    """Read a page that is already text. Raises InputError."""
    page = _Page()
    root = LexborHTMLParser(html).root
    for node, entering in _walk(root) if root is not None else ():
        if entering:
            page.enter(node)
        else:
            page.leave(node)
    return page.out.finish()


def _walk(root: LexborNode) -> Iterator[tuple[LexborNode, bool]]:
    """Every node as it is entered and left, without recursion: pages nest as deep as they like."""
    node, above = root, []
    while True:
        yield node, True
        child = None if node.tag in SKIPPED else node.child
        if child is not None:
            above.append(node)
            node = child
            continue
        yield node, False
        while (following := node.next) is None or node is root:
            if not above:
                return
            node = above.pop()
            yield node, False
        node = following


@dataclass(slots=True)
class _Line:
    """A line of a block; ``bold`` as long as all of its text is."""

    text: str = ""
    bold: bool = True


@dataclass(slots=True)
class _List:
    """An open list. An item that holds a heading is a section, and so no item."""

    style: str
    number: int
    marker: str = ""
    in_item: bool = False
    sectioned: bool = False


@dataclass(slots=True)
class _Page:
    """What holds at the present place of the page."""

    out: Extraction = field(default_factory=Extraction)
    lines: list[_Line] = field(default_factory=lambda: [_Line()])
    lists: list[_List] = field(default_factory=list)
    tables: list[bool] = field(default_factory=list)
    cells: list[str] = field(default_factory=list)
    header_row: bool = False
    heading: int = 0
    furniture: int = 0
    site_header: int = 0
    bold: int = 0
    pre: int = 0

    def enter(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag == "-text":
            self._text(node.text_content or "")
            return
        if tag == "br":
            self.lines.append(_Line())
            return
        # A button in a heading opens and folds its section.
        block = tag in BLOCKS and not (self.heading and tag == "button")
        if block and not (tag == "dd" and self._term()):
            self.flush()
        self._count(node, tag, 1)
        if tag in ("ol", "ul", "menu", "dl"):
            self.lists.append(_open_list(node, tag))
        elif tag in ("li", "dt", "dd") and self.lists:
            self._item(node, tag)
        elif tag == "table":
            self.tables.append(_holds_data(node))
        elif tag == "tr":
            self.cells.clear()
            self.header_row = node.css_first("td") is None
        elif tag in ("td", "th") and self._in_data():
            self.cells.append("")

    def leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in BLOCKS and tag != "dt" and not (self.heading and tag == "button"):
            self.flush(level=_SUMMARY_LEVEL if tag == "summary" else 0)
        self._count(node, tag, -1)
        if tag in ("ol", "ul", "menu", "dl"):
            self.lists.pop()
        elif tag == "li" and self.lists:
            self.lists[-1].in_item = False
        elif tag == "table":
            self.tables.pop()
        elif tag == "tr" and self._in_data():
            row = CELL_SEPARATOR.join(" ".join(cell.split()) or "–" for cell in self.cells)
            if any(cell.strip() for cell in self.cells):
                role = "boilerplate" if self.furniture else "table_row"
                self.out.add(role, row, 0 if self.header_row else 1)  # type: ignore[arg-type]
            self.cells.clear()

    def flush(self, *, level: int = 0) -> None:
        """End the block: its role follows from what is open around it."""
        lines = [line for line in self.lines if line.text.strip()]
        self.lines = [_Line()]
        if not lines:
            return
        text = "\n".join(line.text for line in lines)
        if self._in_data() and self.cells:
            self.cells[-1] += " " + text
        elif self.furniture or (self.site_header and self.heading != 1):
            self.out.add("boilerplate", text)
        elif self.heading or (level and is_title(text)):
            if self.lists and self.lists[-1].in_item:
                self.lists[-1].sectioned = True
                text = self._with_marker(text, bullets=False)
            self.out.add("heading", text, self.heading or level)
        elif self.lists and self.lists[-1].in_item and not self.lists[-1].sectioned:
            self.out.add("list_item", self._with_marker(text), len(self.lists))
        else:
            self._paragraph(lines)

    def _paragraph(self, lines: list[_Line]) -> None:
        plain: list[str] = []
        for line in lines:
            if line.bold and is_bold_heading(" ".join(line.text.split())):
                self.out.add("paragraph", "\n".join(plain))
                plain.clear()
                self.out.add("heading", line.text, BOLD_LEVEL)
            else:
                plain.append(line.text)
        self.out.add("paragraph", "\n".join(plain))

    def _with_marker(self, text: str, *, bullets: bool = True) -> str:
        marker, self.lists[-1].marker = self.lists[-1].marker, ""
        return text if marker == BULLET and not bullets else marked(marker, text)

    def _text(self, text: str) -> None:
        first, *others = text.split("\n") if self.pre else [re.sub(r"\s+", " ", text)]
        for position, part in enumerate([first, *others]):
            if position:
                self.lines.append(_Line())
            line = self.lines[-1]
            line.text += part
            line.bold = line.bold and (self.bold > 0 or not part.strip())

    def _count(self, node: LexborNode, tag: str, step: int) -> None:
        attributes = node.attributes
        if tag in _HEADINGS:
            self.heading = _HEADINGS[tag] if step > 0 else 0
        elif attributes.get("role") == "heading":
            given = attributes.get("aria-level") or "2"
            self.heading = (int(given) if given.isdecimal() else 2) if step > 0 else 0
        if tag in ("b", "strong") or _BOLD.search(attributes.get("style") or ""):
            self.bold += step
        if tag == "pre":
            self.pre += step
        if tag == "header" or attributes.get("role") == "banner":
            self.site_header += step
        elif is_furniture(node, tag) and not (self.heading and tag == "button"):
            self.furniture += step

    def _item(self, node: LexborNode, tag: str) -> None:
        opened = self.lists[-1]
        if tag == "dd" and opened.in_item:
            return
        value = node.attributes.get("value") or ""
        if value.isdecimal() and len(value) < 6:
            opened.number = int(value)
        opened.marker = numbered(opened.style, opened.number)
        opened.number += 1
        opened.in_item, opened.sectioned = True, False

    def _term(self) -> bool:
        """Whether a term waits for its definition, which follows it in the same item."""
        line = self.lines[-1]
        if not self.lists or not line.text.strip():
            return False
        if not line.text.rstrip().endswith((":", "?", ".")):
            line.text = line.text.rstrip() + ": "
        line.bold = False
        return True

    def _in_data(self) -> bool:
        return bool(self.tables) and self.tables[-1]


def _open_list(node: LexborNode, tag: str) -> _List:
    if tag != "ol":
        return _List(BULLET, 1)
    start = node.attributes.get("start") or ""
    number = int(start) if start.isdecimal() and len(start) < 6 else 1
    return _List(node.attributes.get("type") or "1", number)


def _holds_data(table: LexborNode) -> bool:
    """Whether a table has rows of data, rather than laying out a page."""
    if table.attributes.get("role") in ("presentation", "none"):
        return False
    laid_out = "td table, td h1, td h2, td h3, td h4, td form, td p + p + p"
    return table.css_first(laid_out) is None and table.css_first("tr > * + *") is not None
