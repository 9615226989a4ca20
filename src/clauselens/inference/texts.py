"""The extracted texts of documents, kept beside an output, since its offsets refer to them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from clauselens.errors import InputError
from clauselens.records import Document
from clauselens.storage import read_json, sha256_bytes, write_text

SUFFIX = ".texts"
"""Behind the output's name: the folder of its texts."""


def texts_folder(out: Path) -> Path:
    """Where the texts of ``out`` stand."""
    return out.with_name(out.name + SUFFIX)


class KeptTexts:
    """Collects texts in ``folder`` while a run goes on, and moves them beside its output."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.documents: list[dict[str, str]] = []

    def keep(self, path: Path, document: Document) -> None:
        """Keep a document's text; given again, it is replaced."""
        write_text(self._folder / f"{document.id}.txt", document.text)
        file = str(path).encode("utf-8", "backslashreplace").decode()
        self.documents.append({"id": document.id, "file": file, "sha256": document.sha256})

    def publish(self, out: Path) -> list[dict[str, str]]:
        """Put the texts in their place; what the sidecar says of them.

        Texts that a former output named, and this one does not, are removed.
        """
        target = texts_folder(out)
        entries = []
        for entry in self.documents:
            name = f"{entry['id']}.txt"
            target.mkdir(parents=True, exist_ok=True)
            text = self._folder / name
            digest = sha256_bytes(text.read_bytes())
            os.replace(text, target / name)
            entries.append({**entry, "text": f"{target.name}/{name}", "text_sha256": digest})
        for name in _former(out) - {f"{entry['id']}.txt" for entry in entries}:
            (target / name).unlink(missing_ok=True)
        if target.is_dir() and not any(target.iterdir()):
            target.rmdir()
        return entries


def _former(out: Path) -> set[str]:
    """The texts that an earlier sidecar names."""
    try:
        facts: Any = read_json(out.with_name(out.name + ".meta.json"))
        names = {Path(entry["text"]).name for entry in facts.get("documents", ())}
    except (InputError, AttributeError, KeyError, TypeError):
        return set()
    return {name for name in names if name.endswith(".txt")}
