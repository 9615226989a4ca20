"""What a file holds, by its first bytes: a wrong suffix is told, not guessed around."""

from __future__ import annotations

from clauselens.errors import InputError

KINDS = {
    ".txt": "text",
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "docx",
}
"""The documents that can be read, by suffix."""

_PDF = b"%PDF-"
_PDF_WITHIN = 1024
"""A PDF's header may stand behind some other bytes."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_PAGE = (b"<!doctype html", b"<html")
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")


def check_contents(suffix: str, data: bytes) -> None:
    """Raise InputError if ``data`` is empty or plainly not what ``suffix`` says."""
    kind, found = KINDS[suffix], _found(data)
    if not data.strip():
        raise InputError("empty file")
    if kind == "pdf" and _PDF in data[:_PDF_WITHIN]:
        return
    expected = {"pdf": "a PDF", "docx": "a zip archive"}.get(kind)
    if found == expected or (expected is None and found == "a page"):
        return
    if kind == "docx" and found == _OLD_WORD:
        raise InputError(f"{found}: save it as .docx without a password")
    if found is None:
        found = "something else" if expected else None
    if found:
        raise InputError(f"named {suffix}, but holds {found}: give it its own suffix")


_OLD_WORD = "an old Word file or one with a password"


def _found(data: bytes) -> str | None:
    head = data[:_PDF_WITHIN].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(_PDF):
        return "a PDF"
    if data.startswith(_ZIP):
        return "a zip archive"
    if data.startswith(_OLE):
        return _OLD_WORD
    if head[:14].lower().startswith(_PAGE):
        return "a page"
    if b"\x00" in data and not data.startswith(_WIDE_MARKS):
        return "binary data"
    return None
