"""How categories look on the page: a name, a short code, a hue and a pattern for each.

Colour is never the only sign: the code is unique, and hues repeat with another pattern.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HUES, PATTERNS = 7, 3
"""Classes ``h0`` … and ``k0`` … of the page's style."""

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One category: ``index`` is its place in the taxonomy, ``classes`` its hue and pattern."""

    index: int
    name: str
    code: str
    classes: str


def looks(labels: Sequence[str]) -> dict[str, Look]:
    """The look of each label; the same for the same labels in the same order."""
    found: dict[str, Look] = {}
    taken: set[str] = set()
    for index, label in enumerate(labels):
        code = next(code for code in _codes(label, index) if code not in taken)
        taken.add(code)
        found[label] = Look(
            index=index,
            name=label.replace("_", " "),
            code=code,
            classes=f"h{index % HUES} k{index // HUES % PATTERNS}",
        )
    return found


def _codes(label: str, index: int) -> Iterator[str]:
    """Two characters: initials of the first two words, letters of the first, then numbers."""
    words = _WORD.findall(label)
    if len(words) > 1:
        yield (words[0][0] + words[1][0]).upper()
    for letter in words[0][1:] if words else "":
        yield words[0][0].upper() + letter.lower()
    yield f"{index + 1:02d}"
    yield f"#{index + 1}"
