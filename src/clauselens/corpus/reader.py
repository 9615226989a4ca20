"""Documents from files: plain text, and the corpus folder with its ``sources.yaml``."""

from __future__ import annotations

from pathlib import Path

from clauselens.errors import InputError
from clauselens.records import Document
from clauselens.storage import read_yaml, sha256_bytes

SOURCES = "sources.yaml"


def read_document(
    path: Path, *, document_id: str | None = None, title: str = "", language: str = "en"
) -> Document:
    """Read a UTF-8 text file; its id is the file's stem unless given.

    Line endings stay as they are, so that offsets hold for the file. A byte-order mark is
    dropped. Raises InputError if the file is missing, not a text file, or not UTF-8.
    """
    if path.suffix.lower() != ".txt":
        raise InputError(f"{path}: can read .txt documents, not {path.suffix or 'this file'!r}")
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot read: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 at byte {error.start}; convert it first") from None
    return Document(
        id=document_id or path.stem,
        source=path.name,
        sha256=sha256_bytes(data),
        title=title,
        language=language,
        text=text,
    )


def read_corpus(folder: Path) -> list[Document]:
    """Read every document that ``folder/sources.yaml`` lists, in its order.

    Raises InputError if the list is malformed or a file's digest is not the listed one.
    """
    listing = folder / SOURCES
    entries = read_yaml(listing)
    if not isinstance(entries, list) or not entries:
        raise InputError(f"{listing}: expected a list of documents")
    documents: list[Document] = []
    for position, entry in enumerate(entries, start=1):
        place = f"{listing}: document {position}"
        for key in ("id", "file", "sha256"):
            if not isinstance(entry, dict) or not isinstance(entry.get(key), str):
                raise InputError(f"{place}: needs a text field {key!r}")
        if entry["id"] in {document.id for document in documents}:
            raise InputError(f"{place}: repeats the id {entry['id']!r}")
        document = read_document(
            folder / entry["file"],
            document_id=entry["id"],
            title=str(entry.get("title") or ""),
            language=str(entry.get("language") or "en"),
        )
        if document.sha256 != entry["sha256"]:
            raise InputError(
                f"{folder / entry['file']}: sha256 is {document.sha256}, {listing} says "
                f"{entry['sha256']}: the file has changed"
            )
        documents.append(document)
    return documents
