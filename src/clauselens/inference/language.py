"""Flags texts that are not in the language of the model's training data (English)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

MIN_CONFIDENCE = 0.7
"""Below this probability a text counts as English: short items are hard to tell."""

_ENGLISH = "the and of to your you we our us is are with for this that or by be may will not it if"
_FUNCTION_WORDS = frozenset(_ENGLISH.split())
_WORD = re.compile(r"[^\W\d_]+")


def foreign_language(text: str) -> str | None:
    """The ISO 639 code of a text that is plainly not English, or None."""
    words = _WORD.findall(text.casefold())
    if not words:
        return None
    # Most texts are plainly English: the identifier, slow to load, is asked about the rest.
    if sum(word in _FUNCTION_WORDS for word in words) * 6 >= len(words):
        return None
    language, confidence = _identifier().classify(text)
    return str(language) if language != "en" and confidence >= MIN_CONFIDENCE else None


@cache
def _identifier() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
