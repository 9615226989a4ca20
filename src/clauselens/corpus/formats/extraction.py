"""The text of a document with its blocks, as the readers of the formats build it up."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ftfy import fix_encoding

from clauselens.corpus.lines import is_title
from clauselens.errors import InputError
from clauselens.records import Block, Role

MAX_TEXT = 5_000_000
"""Longest text of a document, in characters: some hundred times a long policy."""

BOLD_LEVEL = 9
"""The level of a heading that is typed as a bold paragraph: below all that the markup names."""

CELL_SEPARATOR = " | "
"""Between the cells of a table row."""

_BETWEEN = "\n\n"
# Zero-width characters, soft hyphens and control characters show nothing.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u2060\ufeff]|[^\S\n]*[\x00-\x08\x0e-\x1b\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extracted:
    """What was read of a file: ``text``, and its blocks in order."""

    text: str
    blocks: tuple[Block, ...]


class Extraction:
    """Takes blocks in reading order."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._blocks: list[Block] = []
        self._length = 0

    def add(self, role: Role, text: str, level: int = 0) -> None:
        """Add a block unless it is blank. White space collapses, but line breaks stay in
        paragraphs and list items.

        Raises InputError if the text grows too long.
        """
        lines = [_clean(line) for line in text.split("\n")]
        between = "\n" if role in ("paragraph", "list_item") else " "
        text = between.join(line for line in lines if line)
        if not text:
            return
        start = self._length
        self._blocks.append(Block(start=start, end=start + len(text), role=role, level=level))
        self._texts.append(text)
        self._length += len(text) + len(_BETWEEN)
        if self._length > MAX_TEXT:
            raise InputError(f"more than {MAX_TEXT:,} characters of text: split it")

    def finish(self) -> Extracted:
        """Raises InputError if there is no text."""
        if not self._blocks:
            raise InputError("empty: no text in it")
        return Extracted(text=_BETWEEN.join(self._texts) + "\n", blocks=tuple(self._blocks))


def is_bold_heading(text: str) -> bool:
    """Whether a line that is bold as a whole is a heading rather than a stressed sentence."""
    return is_title(text) and len(text) > 1


def _clean(line: str) -> str:
    line = _INVISIBLE.sub("", fix_encoding(line))
    return " ".join(line.encode("utf-8", "replace").decode().split())
