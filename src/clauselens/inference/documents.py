"""Rows from documents: each clause with its context."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from clauselens.corpus.formats.detection import KINDS
from clauselens.corpus.reader import read_document
from clauselens.corpus.sentences import segment_document
from clauselens.errors import InputError
from clauselens.inference.rows import InputRow
from clauselens.records import Document, contexts

SUFFIXES = tuple(KINDS)

_LONGEST = 200
"""Bytes of an id, so that a file can be named by it."""

Keep = Callable[[Path, Document], None]
"""Is given every document whose text was extracted, before its rows."""


def document_rows(path: Path, *, document_id: str, keep: Keep) -> Iterator[InputRow]:
    """The clauses of a document. Raises InputError if it cannot be read."""
    document = read_document(path, document_id=document_id)
    if document.extracted:
        keep(path, document)
    sentences = segment_document(document)
    for sentence, context in zip(sentences, contexts(sentences), strict=True):
        if sentence.is_clause:
            yield InputRow(
                id=sentence.id,
                text=sentence.text,
                context=context,
                kept={
                    "section": context.section,
                    "lead_in": context.lead_in,
                    "text": sentence.text,
                },
            )


def bad_document(path: Path, error: InputError) -> InputRow:
    """The one row of a document that cannot be read."""
    kept = {"section": "", "lead_in": "", "text": ""}
    return InputRow(id=str(path), text=None, error=str(error).removeprefix(f"{path}: "), kept=kept)


class DocumentIds:
    """Names documents by their file's stem; a number tells those of one stem apart."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def next(self, path: Path) -> str:
        """The id of the next document."""
        stem = path.stem.encode("utf-8", "backslashreplace")[:_LONGEST].decode("utf-8", "ignore")
        name, number = stem, 1
        # Some file systems do not tell capitals apart.
        while name.casefold() in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(name.casefold())
        return name
