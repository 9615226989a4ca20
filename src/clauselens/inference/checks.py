"""What makes a text one that can be classified."""

from __future__ import annotations

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
