"""What makes a text one that can be classified."""

from __future__ import annotations

from collections.abc import Sequence

from clauselens.errors import InputError
from clauselens.records import Context

MAX_CHARACTERS = 1_000_000
"""A longer text is no clause: it is refused rather than read for minutes."""


def text_problem(text: object) -> str | None:
    """Why ``text`` cannot be classified, or None."""
    if text is None:
        return "no text (null)"
    if not isinstance(text, str):
        return f"expected a text, found {type(text).__name__}"
    if not text.strip():
        return "empty text"
    if len(text) > MAX_CHARACTERS:
        return f"{len(text):,} characters, more than {MAX_CHARACTERS:,}: split it into sentences"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "not valid Unicode (a lone surrogate)"
    if not any(character.isprintable() and character != " " for character in text):
        return "no visible characters"
    return None


def check_texts(texts: Sequence[str], contexts: Sequence[Context | None] | None) -> None:
    """Raise InputError, with the position, unless all texts can be classified and each has its
    place in ``contexts``, if these are given.
    """
    if isinstance(texts, str):
        raise InputError("texts is one string, expected a sequence of texts")
    if contexts is not None and len(contexts) != len(texts):
        raise InputError(f"{len(texts)} texts but {len(contexts)} contexts")
    for position, text in enumerate(texts):
        problem = text_problem(text)
        if problem:
            raise InputError(f"text {position}: {problem}")
