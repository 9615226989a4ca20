"""Annotations on disk: JSON Lines of ``sentence_id, annotator, labels, note`` (or ``reason``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from clauselens.errors import InputError
from clauselens.records import Annotation, Sentence
from clauselens.storage import field, read_jsonl, write_jsonl
from clauselens.taxonomy import Taxonomy


def read_annotations(
    path: Path, *, sentences: Sequence[Sentence], taxonomy: Taxonomy
) -> dict[str, Annotation]:
    """Read one pass or the gold, by sentence id, in the file's order.

    Raises InputError, with file and row, on an unknown label, an id without a sentence, a
    repeated id, labels on a heading or boilerplate, or a clause that the file leaves out.
    """
    known: Mapping[str, Sentence] = {sentence.id: sentence for sentence in sentences}
    annotations: dict[str, Annotation] = {}
    for place, row in read_jsonl(path):
        sentence_id = field(row, "sentence_id", str, place=place)
        labels = field(row, "labels", list, place=place)
        if sentence_id not in known:
            raise InputError(f"{place}: no sentence has the id {sentence_id!r}")
        if sentence_id in annotations:
            raise InputError(f"{place}: repeats the sentence {sentence_id!r}")
        if not known[sentence_id].is_clause and labels:
            raise InputError(
                f"{place}: {sentence_id!r} is a {known[sentence_id].kind}, which carries no labels"
            )
        annotations[sentence_id] = Annotation(
            sentence_id=sentence_id,
            annotator=field(row, "annotator", str, place=place),
            labels=taxonomy.sort((str(label) for label in labels), where=place),
            note=str(row.get("reason") or row.get("note") or ""),
        )
    for sentence in sentences:
        if sentence.is_clause and sentence.id not in annotations:
            raise InputError(f"{path}: the clause {sentence.id!r} has no annotation")
    return annotations


def write_annotations(
    path: Path, annotations: Iterable[Annotation], *, note_field: str = "note"
) -> None:
    """Write annotations; an empty note is left out."""
    rows = []
    for annotation in annotations:
        row: dict[str, object] = {
            "sentence_id": annotation.sentence_id,
            "annotator": annotation.annotator,
            "labels": list(annotation.labels),
        }
        if annotation.note:
            row[note_field] = annotation.note
        rows.append(row)
    write_jsonl(path, rows)
