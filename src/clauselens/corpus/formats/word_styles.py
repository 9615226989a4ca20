"""What a Word file's styles and numbering say of a paragraph."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from docx.oxml.ns import qn

from clauselens.corpus.formats.numbering import BULLET, count
from clauselens.corpus.lines import parse_marker

Element = Any

_HEADING_NAME = re.compile(r"heading (\d)", re.IGNORECASE)
_TITLE = "title"
_BODY_LEVEL = 9
"""The outline level that means body text."""

_FORMATS = {"lowerLetter": "a", "upperLetter": "A", "lowerRoman": "i", "upperRoman": "I"}
_DEEPEST = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A paragraph style with what it inherits; ``heading`` is the rank of a heading style."""

    name: str = ""
    heading: int | None = None
    bold: bool = False
    number: str | None = None
    depth: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """The place of a numbered paragraph: its depth from 1, and the marker that Word draws."""

    depth: int
    marker: str


def is_on(switch: Element) -> bool:
    """Whether a switch such as ``w:b`` is there and not turned off."""
    return switch is not None and switch.get(qn("w:val")) not in ("0", "false", "off")


def value(element: Element, *path: str) -> str | None:
    """The ``w:val`` of the element at ``path``."""
    found = element.find("/".join(map(qn, path))) if element is not None else None
    return None if found is None else found.get(qn("w:val"))


class Styles:
    """Paragraph styles by id."""

    def __init__(self, document: Any) -> None:
        elements = document.styles.element.iterchildren(qn("w:style"))
        self._elements = {element.get(qn("w:styleId")): element for element in elements}
        self._known: dict[str | None, Style] = {None: Style()}
        for identity, element in self._elements.items():
            if element.get(qn("w:type")) == "paragraph" and is_default(element):
                self._known[None] = self._resolved(identity)

    def of(self, paragraph: Element) -> Style:
        """The style of a paragraph, with its own outline level."""
        style = self._resolved(value(paragraph, "w:pPr", "w:pStyle"))
        return _with_level(style, value(paragraph, "w:pPr", "w:outlineLvl"))

    def _resolved(self, identity: str | None) -> Style:
        if identity not in self._known:
            self._known[identity] = Style()  # Ends a chain that is a ring.
            element = self._elements.get(identity)
            if element is not None:
                self._known[identity] = self._read(element)
        return self._known[identity]

    def _read(self, element: Element) -> Style:
        base = self._resolved(value(element, "w:basedOn"))
        name = value(element, "w:name") or ""
        bold = element.find(f"{qn('w:rPr')}/{qn('w:b')}")
        number = value(element, "w:pPr", "w:numPr", "w:numId")
        style = Style(
            name=name,
            heading=base.heading,
            bold=base.bold if bold is None else is_on(bold),
            number=base.number if number is None else number,
            depth=int(value(element, "w:pPr", "w:numPr", "w:ilvl") or base.depth),
        )
        style = _with_level(style, value(element, "w:pPr", "w:outlineLvl"))
        heading = _HEADING_NAME.fullmatch(name)
        if heading:
            return replace(style, heading=int(heading.group(1)))
        return replace(style, heading=0) if name.lower() == _TITLE else style


def is_default(style: Element) -> bool:
    return style.get(qn("w:default")) in ("1", "true")


def _with_level(style: Style, level: str | None) -> Style:
    if level is None:
        return style
    return replace(style, heading=int(level) + 1 if int(level) < _BODY_LEVEL else None)


class Numbering:
    """Counts the items of each list as Word does."""

    def __init__(self, document: Any) -> None:
        relations = document.part.rels.values()
        part = next((r.target_part for r in relations if r.reltype.endswith("/numbering")), None)
        root = part.element if part is not None else None
        found = [] if root is None else root.iterchildren(qn("w:num"))
        self._lists = {number.get(qn("w:numId")): number for number in found}
        found = [] if root is None else root.iterchildren(qn("w:abstractNum"))
        self._schemes = {scheme.get(qn("w:abstractNumId")): scheme for scheme in found}
        self._counts: dict[str, dict[int, int]] = {}
        self._begun: set[str] = set()

    def item(self, paragraph: Element, style: Style) -> Item | None:
        """The place of ``paragraph`` in its list, which it moves on; None outside of lists."""
        number = value(paragraph, "w:pPr", "w:numPr", "w:numId") or style.number
        level = int(value(paragraph, "w:pPr", "w:numPr", "w:ilvl") or style.depth)
        entry = self._lists.get(number) if number else None
        if number is None or entry is None or not 0 <= level < _DEEPEST:
            return None
        identity = value(entry, "w:abstractNumId") or ""
        scheme = self._schemes.get(identity)
        if scheme is None:
            return None
        levels = {int(e.get(qn("w:ilvl"))): e for e in scheme.iterchildren(qn("w:lvl"))}
        counts = self._counts.setdefault(identity, {})
        if number not in self._begun:
            self._begun.add(number)
            for override in entry.iterchildren(qn("w:lvlOverride")):
                first = value(override, "w:startOverride")
                if first is not None:
                    counts[int(override.get(qn("w:ilvl")))] = int(first) - 1
        start = int(value(levels.get(level), "w:start") or 1)
        counts[level] = counts[level] + 1 if level in counts else start
        for deeper in [key for key in counts if key > level]:
            del counts[deeper]
        return Item(depth=level + 1, marker=_marker(levels, counts, level))


def _marker(levels: dict[int, Element], counts: dict[int, int], level: int) -> str:
    text = value(levels.get(level), "w:lvlText") or ""
    form = value(levels.get(level), "w:numFmt")
    if form in ("bullet", "none"):
        return BULLET if form == "bullet" and text.strip() else ""

    def number(match: re.Match[str]) -> str:
        place = int(match.group(1)) - 1
        style = _FORMATS.get(value(levels.get(place), "w:numFmt") or "", "1")
        return count(style, counts.get(place, 1))

    marker = re.sub(r"%(\d)", number, text).strip()
    # A small letter and a full stop is no marker in plain text.
    bracketed = marker.removesuffix(".") + ")"
    return (
        marker if parse_marker(f"{marker} x") or not parse_marker(f"{bracketed} x") else bracketed
    )
