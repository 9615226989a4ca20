"""Bytes to text: marks and UTF-8 first, then what the file declares, then a guess."""

from __future__ import annotations

import codecs

from clauselens.errors import InputError

MAX_CHAOS = 0.1
"""A guess with a larger share of implausible characters is no guess."""

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_WESTERN = "cp1252"
# As browsers read them.
_ALIASES = dict.fromkeys(
    ("iso-8859-1", "iso8859-1", "latin1", "latin-1", "us-ascii", "ascii"), _WESTERN
)


def decode(data: bytes, *, declared: str | None = None) -> str:
    """The text of ``data``. Raises InputError if no encoding fits with some certainty."""
    for mark, codec in _MARKS:
        if data.startswith(mark):
            try:
                return data[len(mark) :].decode(codec)
            except UnicodeDecodeError as error:
                raise InputError(f"begins as {codec}, but is not at byte {error.start}") from None
    try:
        # Bytes of another encoding are hardly ever valid UTF-8, whatever a page declares.
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return _declared(data, declared) or _guessed(data)


def _declared(data: bytes, name: str | None) -> str | None:
    if not name:
        return None
    try:
        return data.decode(_ALIASES.get(name.lower(), name))
    except (LookupError, ValueError):
        return None


def _guessed(data: bytes) -> str:
    from charset_normalizer import from_bytes

    matches = from_bytes(data, threshold=MAX_CHAOS)
    # Where the Western code page is as plausible as others, it is the one that is in use.
    for match in matches:
        if _WESTERN in match.could_be_from_charset:
            return str(match)
    best = matches.best()
    if best is None:
        raise InputError("not UTF-8, and no other encoding is plausible: save it as UTF-8")
    return str(best)
