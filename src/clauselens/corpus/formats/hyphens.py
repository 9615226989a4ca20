"""Words that a line end broke, put together again."""

from __future__ import annotations

import re
from collections.abc import Iterable

SOFT = "\u00ad"
"""The hyphen of a broken word, where the file shows which one it is."""

_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BROKEN = re.compile(rf"([^\W\d_]+(?:-[^\W\d_]+)*)[{SOFT}-]$")


def known_words(lines: Iterable[str]) -> frozenset[str]:
    """The words that stand whole in the lines, lower-cased."""
    words: set[str] = set()
    broken = False
    for line in lines:
        found = [match.group().casefold() for match in _WORD.finditer(line)]
        ends = _BROKEN.search(line) is not None
        words.update(found[int(broken) : len(found) - int(ends)])
        broken = ends
    return frozenset(words)


def join_lines(lines: Iterable[str], words: frozenset[str]) -> str:
    """The lines as one. A hyphen at a line end stays where the document writes the word so, or
    writes both halves as words; otherwise it only broke the word.
    """
    text = ""
    for line in lines:
        broken = _BROKEN.search(text)
        following = _WORD.match(line)
        if not broken or not following or not line[0].islower():
            text = f"{text.replace(SOFT, '-')} {line}" if text else line
            continue
        head, tail = broken.group(1).casefold(), following.group().casefold()
        compound = f"{head}-{tail}" in words or (
            head + tail not in words and head in words and tail in words
        )
        text = text[:-1] + ("-" if compound else "") + line
    return text.replace(SOFT, "-")
