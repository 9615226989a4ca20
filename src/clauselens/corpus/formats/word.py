"""Word files: headings and lists by style and numbering, tables, headers and footers."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import docx
from docx.oxml import parse_xml
from docx.oxml.ns import qn

from clauselens.corpus.formats.extraction import (
    BOLD_LEVEL,
    CELL_SEPARATOR,
    Extracted,
    Extraction,
    is_bold_heading,
)
from clauselens.corpus.formats.numbering import marked
from clauselens.corpus.formats.word_styles import Numbering, Styles, is_on
from clauselens.errors import InputError

MAX_UNPACKED = 256 * 2**20
"""Bytes that the archive may unpack to."""

MAX_PARTS = 10_000

Element = Any
"""An lxml element; its stubs are not installed."""

_MAIN_PART = "word/document.xml"
# Text that is deleted, and a copy of a text box for old readers.
_LEFT_OUT = {qn("w:del"), qn("w:moveFrom"), qn("w:pPr"), qn("w:rPr"), qn("w:instrText")}
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_WRAPPERS = {qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:moveTo"), qn("w:customXml")}
_CONTENTS = "Table of Contents"


def extract(data: bytes) -> Extracted:
    """Read a .docx file. Raises InputError; other errors mean that it is damaged."""
    _check_archive(data)
    document = docx.Document(io.BytesIO(data))
    reader = _Reader(Styles(document), Numbering(document))
    for part in _related(document, "header"):
        reader.furniture(part)
    reader.blocks(document.element.body)
    for part in _related(document, "footnotes"):
        reader.blocks(part)
    for part in _related(document, "footer"):
        reader.furniture(part)
    return reader.out.finish()


def _check_archive(data: bytes) -> None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise InputError(f"damaged: {error}") from None
    # More than an entry declares is never unpacked.
    if len(entries) > MAX_PARTS or sum(entry.file_size for entry in entries) > MAX_UNPACKED:
        raise InputError(f"unpacks to more than {MAX_UNPACKED:,} bytes or {MAX_PARTS:,} parts")
    if _MAIN_PART not in {entry.filename for entry in entries}:
        raise InputError("a zip archive, but no Word file")


def _related(document: Any, kind: str) -> list[Element]:
    """The roots of the parts of a kind, in a fixed order."""
    relations = sorted(document.part.rels.items())
    found = [r for _, r in relations if r.reltype.endswith("/" + kind) and not r.is_external]
    return [parse_xml(relation.target_part.blob) for relation in found]


@dataclass(slots=True)
class _Reader:
    styles: Styles
    numbering: Numbering
    out: Extraction = field(default_factory=Extraction)
    seen: set[str] = field(default_factory=set)

    def furniture(self, part: Element) -> None:
        """Headers and footers: each text once, however many sections repeat it."""
        text = "\n".join(_text(paragraph) for paragraph in part.iter(qn("w:p")))
        if text.strip() and text not in self.seen:
            self.seen.add(text)
            self.out.add("boilerplate", text)

    def blocks(self, parent: Element, *, contents: bool = False) -> None:
        for child in parent:
            if child.tag == qn("w:p"):
                self.paragraph(child, contents)
                for box in _boxes(child):
                    self.blocks(box, contents=contents)
            elif child.tag == qn("w:tbl"):
                self.table(child)
            elif child.tag in _WRAPPERS or child.tag == qn("w:footnote"):
                self.blocks(child, contents=contents or _is_contents(child))

    def paragraph(self, element: Element, contents: bool) -> None:
        text = _text(element)
        style = self.styles.of(element)
        item = self.numbering.item(element, style)
        if contents or style.name.lower().startswith("toc "):
            self.out.add("boilerplate", text)
        elif not text.strip():
            return
        elif style.heading is not None:
            self.out.add("heading", marked(item.marker, text) if item else text, style.heading)
        elif item:
            self.out.add("list_item", marked(item.marker, text), item.depth)
        elif (style.bold or _is_bold(element)) and is_bold_heading(" ".join(text.split())):
            self.out.add("heading", text, BOLD_LEVEL)
        else:
            self.out.add("paragraph", text)

    def table(self, element: Element) -> None:
        """Add a table by rows, or as blocks where it lays out the page."""
        rows = [list(row.iterchildren(qn("w:tc"))) for row in element.iterchildren(qn("w:tr"))]
        cells = [cell for row in rows for cell in row]
        if max(map(len, rows), default=0) < 2 or any(self._lays_out(cell) for cell in cells):
            for cell in cells:
                self.blocks(cell)
            return
        for position, (row, properties) in enumerate(
            zip(rows, element.iterchildren(qn("w:tr")), strict=True)
        ):
            texts = [" ".join(" ".join(_text(p) for p in c.iter(qn("w:p"))).split()) for c in row]
            marked_header = properties.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is not None
            paragraphs = [p for c in row for p in c.iter(qn("w:p")) if _text(p).strip()]
            bold = position == 0 and all(self._is_bold_cell(p) for p in paragraphs)
            if any(texts):
                joined = CELL_SEPARATOR.join(text or "–" for text in texts)
                self.out.add("table_row", joined, 0 if marked_header or bold else 1)

    def _is_bold_cell(self, paragraph: Element) -> bool:
        return self.styles.of(paragraph).bold or _is_bold(paragraph)

    def _lays_out(self, cell: Element) -> bool:
        if next(cell.iter(qn("w:tbl")), None) is not None:
            return True
        return any(self.styles.of(p).heading is not None for p in cell.iter(qn("w:p")))


def _is_contents(element: Element) -> bool:
    gallery = element.find(f"{qn('w:sdtPr')}/{qn('w:docPartObj')}/{qn('w:docPartGallery')}")
    return gallery is not None and gallery.get(qn("w:val")) == _CONTENTS


def _text(paragraph: Element) -> str:
    return "".join(_texts(paragraph))


def _texts(element: Element) -> Iterator[str]:
    for child in element:
        if child.tag == qn("w:t"):
            yield child.text or ""
        elif child.tag in (qn("w:br"), qn("w:cr")):
            yield "\n"
        elif child.tag == qn("w:tab"):
            yield " "
        elif child.tag == qn("w:noBreakHyphen"):
            yield "-"
        elif child.tag not in _LEFT_OUT and child.tag not in (_FALLBACK, qn("w:txbxContent")):
            yield from _texts(child)


def _boxes(paragraph: Element) -> list[Element]:
    boxes = paragraph.iter(qn("w:txbxContent"))
    return [box for box in boxes if not any(up.tag == _FALLBACK for up in box.iterancestors())]


def _is_bold(paragraph: Element) -> bool:
    """Whether every run with text is bold."""
    runs = [run for run in paragraph.iter(qn("w:r")) if "".join(_texts(run)).strip()]
    return bool(runs) and all(is_on(run.find(f"{qn('w:rPr')}/{qn('w:b')}")) for run in runs)
