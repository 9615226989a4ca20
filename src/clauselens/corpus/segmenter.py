"""Sentence boundaries inside one paragraph or list item.

The sentence rule is sentencex's (Wikimedia). What is added here is what policies need and a
general segmenter does not know: list markers, lists flattened into a line, fragments that a
translation left behind.
"""

from __future__ import annotations

import re
from itertools import pairwise

from sentencex import get_sentence_boundaries

from clauselens.corpus.lines import has_finite_verb, introduces_list, parse_marker

Span = tuple[int, int]

_GLUED = re.compile(r"(?<=[a-z]{2}[.!?])(?=(?:[A-Z][a-z]+|[AI])\b)(?!\w+\.[a-z])")
_COLON = re.compile(r"[:：]\s+(?=[\"“A-Z·•])")
_IMPERATIVE = re.compile(
    r"(?:please|see|visit|contact|click|read|refer|note|find|thank|email|e-mail|mail|call|write"
    r"|send|do|let|for details)\b",
    re.IGNORECASE,
)

FRAGMENT_WORDS = 4
"""A verbless sentence of at most this many words behind another one is taken for debris."""


def bare_spans(text: str) -> list[Span]:
    """The segmenter's own sentences: half-open, white space trimmed, empty ones left out."""
    spans = [
        (part["start_index"], part["end_index"]) for part in get_sentence_boundaries("en", text)
    ]
    return [span for span in (trim(text, *span) for span in spans) if span[0] < span[1]]


def trim(text: str, start: int, end: int) -> Span:
    """Narrow a span to its non-blank characters."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def sentence_spans(text: str) -> list[Span]:
    """Split a paragraph or list item into units: half-open spans that cover all but blanks."""
    marker = parse_marker(text)
    offset = marker.length if marker else 0
    spans = [(start + offset, end + offset) for start, end in bare_spans(text[offset:])]
    if not spans:
        return [trim(text, 0, len(text))] if text.strip() else []
    # The marker stays in the text of its item.
    spans[0] = (trim(text, 0, len(text))[0], spans[0][1])
    spans = _cut(text, spans, _GLUED)
    return _join_fragments(text, _cut_lead_ins(text, spans))


def _cut(text: str, spans: list[Span], pattern: re.Pattern[str]) -> list[Span]:
    pieces: list[Span] = []
    for start, end in spans:
        cuts = [start, *(match.end() for match in pattern.finditer(text, start + 1, end)), end]
        pieces += [trim(text, left, right) for left, right in pairwise(cuts)]
    return [(start, end) for start, end in pieces if start < end]


def _join_fragments(text: str, spans: list[Span]) -> list[Span]:
    joined = [spans[0]]
    introduced = False
    for position, (start, end) in enumerate(spans[1:], start=1):
        previous = text[slice(*joined[0])]
        # Short and verbless is what the items of a flattened list are, and what may follow a
        # run-in title ("(1) Cookies. …").
        last = introduces_list(text[slice(*joined[-1])])
        expected = introduced or last or (position == 1 and not has_finite_verb(previous))
        piece = text[start:end]
        if _is_broken_off(piece) or (not expected and _is_short_and_verbless(piece)):
            joined[-1] = (joined[-1][0], end)
        else:
            introduced = introduced or last
            joined.append((start, end))
    return joined


def _is_broken_off(piece: str) -> bool:
    """Starts in lower case or in mid-punctuation, or has no letters: never a sentence."""
    letters = [character for character in piece if character.isalpha()]
    return not letters or letters[0].islower() or piece[0] in "/,;)"


def _is_short_and_verbless(piece: str) -> bool:
    few = len(piece.split()) <= FRAGMENT_WORDS
    return few and not has_finite_verb(piece) and not _IMPERATIVE.match(piece)


def _cut_lead_ins(text: str, spans: list[Span]) -> list[Span]:
    """Cut behind the colon of a lead-in whose list was flattened into the same paragraph.

    Only where several sentences follow: one sentence behind a colon belongs to it.
    """
    pieces: list[Span] = []
    for position, (start, end) in enumerate(spans):
        match = next(
            (
                match
                for match in _COLON.finditer(text, start, end)
                if has_finite_verb(text[start : match.start()])
                and not introduces_list(text[start:end])
            ),
            None,
        )
        if match and position + 1 < len(spans):
            pieces += [trim(text, start, match.end()), trim(text, match.end(), end)]
        else:
            pieces.append((start, end))
    return pieces
