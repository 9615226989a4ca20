"""List markers that a page or a Word file draws, put into the text as a reader sees them."""

from __future__ import annotations

from clauselens.corpus.lines import parse_marker

BULLET = "•"

_ROMAN = (
    (1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"),
    (50, "l"), (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"),
)  # fmt: skip
_LARGEST = 3999
"""Above it, Roman numerals and letters are written as plain numbers."""


def numbered(style: str, number: int) -> str:
    """The marker of item ``number``; ``style`` is the ``type`` of an HTML list, or a bullet."""
    if style == BULLET:
        return BULLET
    # With a bracket, since a small letter and a full stop is no marker in plain text.
    return count(style, number) + (")" if style in ("a", "i") else ".")


def count(style: str, number: int) -> str:
    """``number`` in digits (``1``), letters (``a``, ``A``) or Roman numerals (``i``, ``I``)."""
    if not 0 < number <= _LARGEST or style not in ("a", "A", "i", "I"):
        return str(number)
    text = _letters(number) if style in ("a", "A") else _roman(number)
    return text.upper() if style.isupper() else text


def marked(marker: str, text: str) -> str:
    """``text`` behind its marker, unless it has one of its own."""
    text = text.lstrip()
    return text if not marker or parse_marker(text) else f"{marker} {text}"


def _letters(number: int) -> str:
    text = ""
    while number:
        number, rest = divmod(number - 1, 26)
        text = chr(ord("a") + rest) + text
    return text


def _roman(number: int) -> str:
    text = ""
    for value, letters in _ROMAN:
        while number >= value:
            text += letters
            number -= value
    return text
