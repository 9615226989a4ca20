"""The frozen sentences on disk: written once, verified against the documents on every read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from clauselens.corpus.reader import SOURCES, read_corpus
from clauselens.corpus.sentences import segment_document
from clauselens.errors import InputError
from clauselens.records import KINDS, Document, Sentence
from clauselens.storage import (
    field,
    jsonl_bytes,
    read_jsonl,
    write_bytes,
    write_manifest,
    write_text,
)

SENTENCES = "sentences.jsonl"

TEXTS = "texts"
"""The folder of the extracted texts, which the offsets refer to; plain text files need none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuiltSentences:
    """What a build found; ``changed`` says whether it wrote anything."""

    path: Path
    sentences: tuple[Sentence, ...]
    changed: bool

    @property
    def kinds(self) -> Counter[str]:
        return Counter(sentence.kind for sentence in self.sentences)


def build_sentences(raw: Path, out: Path) -> BuiltSentences:
    """Segment the corpus in ``raw`` and write ``out/sentences.jsonl`` with its manifest, and the
    extracted texts of documents that are not plain text.

    Annotated sentences are frozen: if the file exists with other contents, nothing is written
    and InputError names the first unit that differs.
    """
    documents = read_corpus(raw)
    sentences = [sentence for document in documents for sentence in segment_document(document)]
    data = jsonl_bytes(asdict(sentence) for sentence in sentences)
    path = out / SENTENCES
    changed = not path.exists() or path.read_bytes() != data
    if changed and path.exists():
        old = {sentence.id: sentence for sentence in read_sentences(path, documents)}
        differing = [sentence.id for sentence in sentences if old.get(sentence.id) != sentence]
        raise InputError(
            f"{path} is frozen, and the segmentation now differs in {len(differing)} units, first "
            f"{differing[0] if differing else 'a unit that is gone'!r}: build into another folder, "
            "then move the labels with 'clauselens carry'"
        )
    if changed:
        write_bytes(path, data)
    for document in documents:
        if document.extracted:
            write_text(out / TEXTS / f"{document.id}.txt", document.text)
    write_manifest(
        out,
        inputs=[raw / SOURCES, *(raw / document.source for document in documents)],
        counts={
            "documents": len(documents),
            "kinds": {kind: sum(s.kind == kind for s in sentences) for kind in KINDS},
            "clauses": {
                document.id: sum(s.is_clause for s in sentences if s.document_id == document.id)
                for document in documents
            },
        },
    )
    return BuiltSentences(path=path, sentences=tuple(sentences), changed=changed)


def read_sentences(path: Path, documents: Sequence[Document]) -> list[Sentence]:
    """Read sentences and check each against its document. Raises InputError with file and row."""
    texts: Mapping[str, str] = {document.id: document.text for document in documents}
    sentences: list[Sentence] = []
    seen: set[str] = set()
    for place, row in read_jsonl(path):
        section = field(row, "section", list, place=place)
        sentence = Sentence(
            id=field(row, "id", str, place=place),
            document_id=field(row, "document_id", str, place=place),
            start=field(row, "start", int, place=place),
            end=field(row, "end", int, place=place),
            text=field(row, "text", str, place=place),
            kind=field(row, "kind", str, place=place),
            section=tuple(section),
            lead_in=field(row, "lead_in", str, place=place),
        )
        if sentence.kind not in KINDS:
            raise InputError(f"{place}: unknown kind {sentence.kind!r} (known: {', '.join(KINDS)})")
        if sentence.document_id not in texts:
            raise InputError(f"{place}: unknown document {sentence.document_id!r}")
        if texts[sentence.document_id][sentence.start : sentence.end] != sentence.text:
            raise InputError(
                f"{place}: offsets {sentence.start}-{sentence.end} do not give this text in "
                f"{sentence.document_id!r}"
            )
        if sentence.id in seen:
            raise InputError(f"{place}: repeats the id {sentence.id!r}")
        seen.add(sentence.id)
        sentences.append(sentence)
    return sentences
