"""Documents from files of all formats, and the corpus folder with its ``sources.yaml``."""

from __future__ import annotations

from pathlib import Path

from clauselens.corpus.formats.decoding import decode
from clauselens.corpus.formats.detection import KINDS, check_contents
from clauselens.errors import InputError
from clauselens.records import Block, Document
from clauselens.storage import read_yaml, sha256_bytes

SOURCES = "sources.yaml"

_UTF8_MARK = b"\xef\xbb\xbf"

MAX_FILE = 64 * 2**20
"""Largest file that is read, in bytes."""


def read_document(
    path: Path, *, document_id: str | None = None, title: str = "", language: str = "en"
) -> Document:
    """Read a document (``KINDS`` has the suffixes); its id is the file's stem unless given.

    A text file in UTF-8 is its own text: line endings stay as they are, so that offsets hold for
    the file, and only a byte-order mark is dropped. Of all else the text is extracted, in a
    process of its own with bounds on time and memory, and offsets hold for that text.
    Raises InputError, which names the file, if it is missing, too large, empty, encrypted,
    damaged, without text, or not what its suffix says.
    """
    suffix = path.suffix.lower()
    if suffix not in KINDS:
        known = ", ".join(KINDS)
        raise InputError(f"{path}: can read {known} documents, not {path.suffix or 'this file'!r}")
    data = _bytes(path)
    try:
        check_contents(suffix, data)
        if KINDS[suffix] == "text":
            text, blocks = decode(data), tuple[Block, ...]()
            if not text.strip():
                raise InputError("empty: no text in it")
            extracted = text.encode("utf-8", "surrogatepass") != data.removeprefix(_UTF8_MARK)
        else:
            # Only here, so that plain text needs no libraries.
            from clauselens.corpus.formats.isolated import extract

            found = extract(KINDS[suffix], data)
            text, blocks, extracted = found.text, found.blocks, True
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    return Document(
        id=document_id or path.stem,
        source=path.name,
        sha256=sha256_bytes(data),
        title=title,
        language=language,
        text=text,
        blocks=blocks,
        extracted=extracted,
    )


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot read: {error.strerror}") from None
    if len(data) > MAX_FILE:
        raise InputError(f"{path}: larger than {MAX_FILE:,} bytes, which is no policy")
    return data


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
        if entry["id"].startswith(".") or "/" in entry["id"]:
            raise InputError(f"{place}: the id {entry['id']!r} cannot name a file")
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
