"""PDF: lines with their place and type, as the library orders them. Pictures are not read."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from clauselens.corpus.formats.extraction import Extracted
from clauselens.corpus.formats.hyphens import SOFT
from clauselens.corpus.formats.pdf_layout import Line, lay_out
from clauselens.errors import InputError

_HYPHENS = ("\x02", "\ufffe")
"""How the library gives a hyphen at which a word was broken."""

_BOLD = re.compile(r"bold|black|heavy|semibold|demi", re.IGNORECASE)
_FORCE_BOLD = 1 << 18
_NAME_BYTES = 256
_BULLET_SIZES = (0.12, 0.6)
"""Width and height of a bullet that is drawn as a shape, in ems."""

_BULLET_REACH = 3.0
"""A bullet stands at most this far before its line, in ems."""


def extract(data: bytes) -> Extracted:
    """Read a PDF. Raises InputError if it is encrypted or has no text."""
    try:
        document = pdfium.PdfDocument(data)
    except pdfium.PdfiumError as error:
        if "password" in str(error).lower():
            raise InputError("encrypted: save it without a password") from None
        raise
    lines = [line for number in range(len(document)) for line in _page_lines(document, number)]
    if not lines:
        raise InputError("no text in it, only pictures: run text recognition (OCR) on it first")
    return lay_out(lines)


def _page_lines(document: Any, number: int) -> Iterator[Line]:
    page = document[number]
    text = page.get_textpage()
    height = page.get_height()
    bullets = _shapes(page)
    characters: list[tuple[int, str]] = []
    for index in range(text.count_chars()):
        character = chr(min(raw.FPDFText_GetUnicode(text, index), 0x10FFFF))
        if character in _HYPHENS:
            characters.append((index, SOFT))
        if character in "\r\n" or character in _HYPHENS:
            yield from _line(text, characters, number, height, bullets)
            characters = []
        else:
            characters.append((index, character))
    yield from _line(text, characters, number, height, bullets)


def _line(
    text: Any,
    characters: list[tuple[int, str]],
    page: int,
    height: float,
    bullets: list[tuple[float, float, float]],
) -> Iterator[Line]:
    seen = [index for index, character in characters if not character.isspace()]
    if not seen:
        return
    left, bottom, _, _ = text.get_charbox(seen[0], loose=True)
    right = text.get_charbox(seen[-1], loose=True)[2]
    blank = next((i for i, character in characters if character.isspace() and i > seen[0]), None)
    word_end = seen[-1] if blank is None else max(i for i in seen if i < blank)
    size = _size(text, seen[len(seen) // 2])
    sample = {seen[0], seen[len(seen) // 2], seen[-1]}
    base = _baseline(text, seen[0], bottom)
    bulleted = next(
        (
            x
            for x, y, extent in bullets
            if _BULLET_SIZES[0] * size <= extent <= _BULLET_SIZES[1] * size
            and left - _BULLET_REACH * size <= x < left
            and base - 0.1 * size < y < base + 0.8 * size
        ),
        None,
    )
    yield Line(
        text="".join(character for _, character in characters).strip(),
        page=page,
        left=left,
        right=right,
        word=text.get_charbox(word_end, loose=True)[2] - left,
        base=base,
        size=round(2 * size) / 2,
        bold=all(_is_bold(text, index) for index in sample),
        height=height,
        bullet=bulleted,
    )


def _baseline(text: Any, index: int, otherwise: float) -> float:
    x, y = ctypes.c_double(), ctypes.c_double()
    return y.value if raw.FPDFText_GetCharOrigin(text, index, x, y) else otherwise


def _size(text: Any, index: int) -> float:
    """The size at which a character is drawn, in points."""
    matrix = raw.FS_MATRIX()
    scale = 1.0
    if raw.FPDFText_GetMatrix(text, index, matrix):
        scale = (matrix.c**2 + matrix.d**2) ** 0.5
    return float(raw.FPDFText_GetFontSize(text, index)) * scale


def _is_bold(text: Any, index: int) -> bool:
    flags, name = ctypes.c_int(), ctypes.create_string_buffer(_NAME_BYTES)
    raw.FPDFText_GetFontInfo(text, index, name, _NAME_BYTES, flags)
    found = _BOLD.search(name.value.decode("utf-8", "replace"))
    return found is not None or bool(flags.value & _FORCE_BOLD)


def _shapes(page: Any) -> list[tuple[float, float, float]]:
    """Left edge, middle height and extent of the page's small shapes that are about as wide as
    high: browsers draw bullets so.
    """
    shapes = []
    for shape in page.get_objects(filter=[raw.FPDF_PAGEOBJ_PATH], max_depth=4):
        left, bottom, right, top = shape.get_bounds()
        wide, high = right - left, top - bottom
        if wide > 0 and 0.7 < high / wide < 1.4:
            shapes.append((left, (bottom + top) / 2, wide))
    return shapes
