"""What one line of a policy looks like: its list marker, and whether it reads as a title.

The tests are lexical and know English only. They decide structure, never labels.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_MARKERS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (style, re.compile(pattern))
    for style, pattern in (
        ("(1)", r"[(（](\d{1,3})[)）]"),
        ("(i)", r"[(（]([ivx]{1,5})[)）]"),
        ("(a)", r"[(（]([A-Za-z])[)）]"),
        ("1.1.1", r"(\d{1,3}\.\d{1,3}\.\d{1,3})\.?(?=\s|[A-Z])"),
        ("1.1", r"(\d{1,3}\.\d{1,3})\.?(?=\s|[A-Z])"),
        ("1)", r"(\d{1,3})[)）]"),
        ("1.", r"(\d{1,3})[.、](?=\s|[A-Z])"),
        ("i)", r"([ivx]{1,5})\)"),
        ("a)", r"([a-z])\)"),
        ("I.", r"([IVX]{1,5})\.(?=\s)"),
        ("A.", r"([A-Z])\.(?=\s)"),
        ("•", r"([•·▪◦‣●○■])"),
        ("-", r"([-*–—])(?=\s)"),
    )
)

PARAGRAPH_NUMBERS = frozenset({"1.1", "1.1.1"})
"""Styles that number paragraphs: prose behind them is prose, not a list item."""

_SUBJECT = r"we|you|they|it|he|she|i|who|there"
_FINITE = re.compile(
    r"\b(?:is|are|was|were|am|has|have|had|do|does|did|will|would|shall|should|can|could|may"
    r"|might|must|cannot|don't|won't|isn't|aren't|'ll|'re|'ve"
    rf"|(?:{_SUBJECT})\s+[a-z]+)\b",
    re.IGNORECASE,
)
_MAIN_CLAUSE = re.compile(
    r"(?:we|you|they|it|this|these|if|when|where|as|please|to the extent)\b", re.IGNORECASE
)
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|has|have|had|will|would|shall|should|can|could|may|might|must)\b",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"(?:how|what|when|where|who|whom|with whom|which|why|do|does|can|is|are|your|our)\b",
    re.IGNORECASE,
)
_TERMINAL = re.compile(r"[.;:,。；：，]$")
_OPEN_END = re.compile(r"\b(?:the following|as follows)\b[^.;:!?]*$", re.IGNORECASE)
_POLICY_WORD = re.compile(
    r"\b(?:privacy|policy|statement|notice|terms|introduction|overview|scope|about|summary"
    r"|preamble|definitions?)\b",
    re.IGNORECASE,
)
_DATE_LINE = re.compile(
    r"(?:last\s+)?(?:updated?|revised|modified|effective|version|date)\b.{0,40}\d", re.IGNORECASE
)

TITLE_WORDS = 20
"""A heading has at most this many words."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A list marker: its style (``"(1)"``, ``"1."``, ``"•"`` …), its value, its length."""

    style: str
    value: str
    length: int


def parse_marker(text: str) -> Marker | None:
    """The list marker at the start of ``text``, if there is one with text behind it."""
    for style, pattern in _MARKERS:
        match = pattern.match(text)
        if match and text[match.end() :].strip():
            return Marker(style, match.group(1), match.end())
    return None


def body_of(text: str) -> str:
    """``text`` without its list marker."""
    marker = parse_marker(text)
    return text[marker.length if marker else 0 :].strip()


def key_of(text: str) -> str:
    """What two copies of a heading share: the body's words, lower-cased."""
    return " ".join(re.findall(r"\w+", body_of(text).casefold()))


def has_finite_verb(text: str) -> bool:
    """Whether ``text`` holds an auxiliary, or a pronoun with a verb.

    Misses other finite verbs ("Cookies contain identifiers"), so a negative answer says
    something of short fragments only.
    """
    return _FINITE.search(text) is not None


def is_bracketed(text: str) -> bool:
    return text.startswith(("【", "[[")) and text.endswith(("】", "]]"))


def is_title(text: str) -> bool:
    """Whether a line reads as a heading: short, no closing stop, no main clause."""
    body = body_of(text)
    if is_bracketed(body):
        return True
    if not any(character.isalpha() for character in body):
        return False
    if _TERMINAL.search(body) or len(body.split()) > TITLE_WORDS or "@" in body:
        return False
    if _QUESTION.match(body):
        return True
    return not (_MAIN_CLAUSE.match(body) or _AUXILIARY.search(body))


def is_policy_title(text: str) -> bool:
    """Whether a title names the document or its opening, not a menu."""
    return is_bracketed(text) or _POLICY_WORD.search(text) is not None


def opens_topic(text: str) -> bool:
    """Whether a title names a topic of a policy ("Your rights", "How we share"), not a menu."""
    return _QUESTION.match(body_of(text)) is not None


def is_date_line(text: str) -> bool:
    """Whether a line states only a date ("Last updated: July 2021")."""
    return _DATE_LINE.match(text) is not None and len(text.split()) <= 8


def introduces_list(text: str) -> bool:
    """Whether a sentence introduces what follows: by a colon, or by "following" without a stop."""
    if _OPEN_END.search(text):
        return True
    return text.endswith((":", "：")) and not text.endswith((";:", "；："))
