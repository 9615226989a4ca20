"""Writes the corpus as HTML, Markdown, Word and PDF files, for the tests of the readers.

``python scripts/write_formats.py OUT`` needs LibreOffice (``soffice``) and Chromium (``chromium``).
The segmented corpus becomes HTML with real markup; LibreOffice makes the Word files of it, and
Chromium the PDF, with a running head and page numbers. Markers that HTML can draw ("1.", "A.",
"I.", "•") are left to the list, others are typed in the item.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

from clauselens.corpus.lines import Marker, parse_marker
from clauselens.corpus.reader import read_corpus
from clauselens.corpus.sentences import segment_document
from clauselens.corpus.structure import Piece, outline
from clauselens.records import Document, Sentence

RAW = Path(__file__).parents[1] / "data/raw"
DRAWN = {"1.": "1", "A.": "A", "I.": "I", "•": "disc"}
FIRST = {"1", "a", "A", "i", "I"}
STYLE = """
@page { size: A4; margin: 25mm 22mm; @top-center { content: %s; font: 8pt serif }
  @bottom-center { content: "Page " counter(page) " of " counter(pages); font: 8pt serif } }
body { font: 11pt/1.4 "Liberation Serif", serif }
"""


@dataclass(slots=True)
class Level:
    """An open list: the style of its markers, what introduces it, its tags."""

    style: str
    lead_in: str
    drawn: bool
    number: int


@dataclass(slots=True)
class Writer:
    """Collects the lines of one document in HTML and in Markdown."""

    html: list[str] = field(default_factory=list)
    markdown: list[str] = field(default_factory=list)
    levels: list[Level] = field(default_factory=list)
    before: str = ""

    def heading(self, text: str, level: int) -> None:
        self.close(0)
        self.html.append(f"<h{level}>{escape(text)}</h{level}>")
        self.markdown += ["#" * level + " " + plain(text), ""]
        self.before = ""

    def paragraph(self, text: str, before: str) -> None:
        self.close(0)
        self.html.append(f"<p>{escape(text)}</p>")
        self.markdown += [plain(text), ""]
        self.before = before

    def item(self, text: str, lead_in: str, before: str) -> None:
        """Add a list item; a list is told from others by its markers and its lead-in."""
        marker = parse_marker(text)
        assert marker
        styles = [level.style for level in self.levels]
        number = ordinal(marker.style, marker.value) if marker.style in DRAWN else 0
        spaced = marker.style in DRAWN and text[marker.length] == " "
        if lead_in and lead_in == self.before:
            self.open(marker, lead_in, spaced)
        elif marker.style in styles:
            self.close(styles.index(marker.style) + 1)
            last = self.levels[-1]
            goes_on = not last.drawn or (spaced and last.number + (number > 0) == number)
            if last.lead_in != lead_in or not goes_on:
                self.close(len(self.levels) - 1)
                self.open(marker, lead_in, spaced)
        else:
            if marker.value.isalnum() and marker.value not in FIRST:
                self.close(0)
            self.open(marker, lead_in, spaced)
        drawn = self.levels[-1].drawn
        self.levels[-1].number = number
        body = text[marker.length :].strip() if drawn else text
        self.html.append(f"<li>{escape(body)}</li>")
        sign = f"{marker.value}." if drawn and marker.style == "1." else "-"
        indent = "    " * (len(self.levels) - 1)
        body = body if sign != "-" or marker.style == "•" else text
        self.markdown.append(f"{indent}{sign:<3} {plain(body)}")
        self.before = before

    def open(self, marker: Marker, lead_in: str, spaced: bool) -> None:
        """Begin a list. LibreOffice forgets where a list starts, and mixes kinds in one list."""
        first = marker.value in FIRST or marker.style == "•"
        drawn = spaced and first and all(level.drawn for level in self.levels)
        level = Level(marker.style, lead_in, drawn, 0)
        if self.levels and self.html[-1].endswith("</li>"):
            self.html[-1] = self.html[-1].removesuffix("</li>")
        if not self.levels and self.markdown:
            self.markdown += ["<!-- -->", ""]
        if not level.drawn:
            self.html.append('<ul style="list-style-type: none">')
        elif level.style == "•":
            self.html.append("<ul>")
        else:
            self.html.append(f'<ol type="{DRAWN[level.style]}">')
        self.levels.append(level)

    def close(self, keep: int) -> None:
        while len(self.levels) > keep:
            level = self.levels.pop()
            ordered = level.drawn and level.style != "•"
            self.html.append(f"</{'ol' if ordered else 'ul'}>{'</li>' if self.levels else ''}")
            if not self.levels:
                self.markdown.append("")


def ordinal(style: str, value: str) -> int:
    """The number that a drawn marker stands for; 0 for a bullet."""
    if style == "•":
        return 0
    if style == "A.":
        return ord(value) - ord("A") + 1
    if style == "I.":
        return ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X"].index(value) + 1
    return int(value)


def plain(text: str) -> str:
    """``text`` so that Markdown takes nothing in it for markup."""
    return re.sub(r"([\\`*_\[\]<>#&!|~])|^(\d+)([.)])|^([-+])", _escaped, text)


def _escaped(match: re.Match[str]) -> str:
    mark, number, stop, sign = match.groups()
    return f"{number}\\{stop}" if number else f"\\{mark or sign}"


def write(document: Document) -> tuple[str, str]:
    """The document as HTML and as Markdown."""
    writer = Writer()
    seen_clause = False
    for index, piece, units in pieces_of(document):
        last = units[-1].text
        titles = outline(document.text).titles
        if units[0].kind == "heading":
            level = 1 if index in titles and not seen_clause else len(units[0].section) + 2
            writer.heading(piece.text, min(level, 6))
        elif units[0].kind != "sentence" and piece.marker:
            writer.item(piece.text, units[0].lead_in, last)
        else:
            writer.paragraph(piece.text, last)
        seen_clause = seen_clause or any(unit.is_clause for unit in units)
    writer.close(0)
    title = escape(document.title)
    style = STYLE % f'"{document.title}"'
    head = f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>'
    body = "\n".join(writer.html)
    html = f"{head}\n<style>{style}</style></head>\n<body>\n{body}\n</body>\n</html>\n"
    return html, "\n".join(writer.markdown) + "\n"


def pieces_of(document: Document) -> Iterator[tuple[int, Piece, list[Sentence]]]:
    units = segment_document(document)
    for index, piece in enumerate(outline(document.text).pieces):
        inside = [unit for unit in units if piece.start <= unit.start < piece.end]
        yield index, piece, inside


def main(out: Path) -> None:
    """Write every policy in every format into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    pages = []
    for document in read_corpus(RAW):
        html, markdown = write(document)
        page = out / f"{document.id}.html"
        page.write_text(html, encoding="utf-8")
        (out / f"{document.id}.md").write_text(markdown, encoding="utf-8")
        pages.append(str(page))
    with tempfile.TemporaryDirectory() as profile:
        office = ["soffice", f"-env:UserInstallation=file://{profile}", "--headless"]
        convert = ["--infilter=HTML (StarWriter)", "--convert-to", "docx:MS Word 2007 XML"]
        subprocess.run([*office, *convert, "--outdir", str(out), *pages], check=True)
    for page in pages:
        browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu"]
        target = f"--print-to-pdf={Path(page).with_suffix('.pdf').resolve()}"
        options = ["--no-pdf-header-footer", target]
        subprocess.run([*browser, *options, Path(page).resolve().as_uri()], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
