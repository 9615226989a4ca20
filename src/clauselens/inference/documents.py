"""Rows from documents: each clause with its context."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from clauselens.corpus.formats.detection import KINDS
from clauselens.corpus.reader import read_document
from clauselens.corpus.sentences import segment_document
from clauselens.errors import InputError
from clauselens.inference.rows import InputRow
from clauselens.inference.texts import SUFFIX as TEXTS
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


def expand_documents(paths: Sequence[Path]) -> list[Path]:
    """Replace folders by the documents in them, sorted, hidden ones left out.

    Raises InputError on a folder without any.
    """
    files: list[Path] = []
    for path in paths:
        inside = documents_in(path) if path.is_dir() else [path]
        if not inside:
            raise InputError(f"{path}: no document in this folder ({', '.join(SUFFIXES)})")
        files += inside
    return files


def documents_in(folder: Path) -> list[Path]:
    """The documents below ``folder``, sorted."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and is_document(path) and not is_hidden(path.relative_to(folder))
    )


def is_document(path: Path) -> bool:
    """Whether a file is read as a document rather than as a table."""
    return path.suffix.lower() in SUFFIXES


def is_hidden(path: Path) -> bool:
    """Whether a path below a folder is passed over when the folder is read."""
    # Word's lock files, and the texts that a run kept beside its output, are no documents.
    texts = any(part.endswith(TEXTS) for part in path.parts[:-1])
    return texts or any(part.startswith((".", "~$")) for part in path.parts)


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
