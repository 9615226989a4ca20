"""Stores the clauses that a model learnt from beside its graph. Needs the extra [train]."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clauselens.dataset.rows import clauses, read_ungrouped
from clauselens.dataset.splits import SPLITS
from clauselens.inference.classifier import ClauseClassifier
from clauselens.inference.nearest import text_vectors
from clauselens.model.folder import DATA_MANIFEST, TRAINING_CLAUSES, TRAINING_CONFIG
from clauselens.model.training_clauses import TrainingClause, write_training_clauses
from clauselens.records import Example
from clauselens.storage import read_json, sha256_bytes
from clauselens.taxonomy import Taxonomy

_NATURAL, _WRITTEN = "train", "written"
"""Uses of rows in a data manifest: written rows stand in no real policy."""


def store_training_clauses(
    folder: Path, place: Path, classifier: ClauseClassifier, *, progress: Callable[[str], None]
) -> bool:
    """Write the training clauses of the model in ``folder`` into ``place``, if its data are here.

    Only rows that the model's data manifest names, with the text that it names, are stored.
    Returns whether there was anything to store.
    """
    rows = _rows(folder, classifier.taxonomy)
    if not rows or not classifier.engine.width:
        return False
    progress(f"{folder}: computing the vectors of {len(rows):,} training clauses")
    examples = [example for example, _ in rows]
    vectors = text_vectors(
        classifier, [row.text for row in examples], [row.context for row in examples]
    )
    stored = [
        TrainingClause(
            id=row.id,
            text=row.text,
            labels=row.labels,
            document_id=row.document_id,
            section=row.section,
            lead_in=row.lead_in,
            written=written,
        )
        for row, written in rows
    ]
    write_training_clauses(place / TRAINING_CLAUSES, stored, vectors)
    return True


def _rows(folder: Path, taxonomy: Taxonomy) -> list[tuple[Example, bool]]:
    """The rows that the model learnt from, and whether each was written for it."""
    manifest = read_json(folder / DATA_MANIFEST)
    written = read_json(folder / TRAINING_CONFIG)["config"].get("written") or ""
    learnt = {
        (row["use"], row["id"], row["text_sha256"])
        for row in manifest["rows"]
        if row["use"] in (_NATURAL, _WRITTEN)
    }
    found = []
    for use, name in ((_NATURAL, manifest["data"]), (_WRITTEN, written)):
        if not name or not Path(name).exists():
            continue
        found += [
            (row, use == _WRITTEN)
            for row in clauses(read_ungrouped(Path(name), taxonomy=taxonomy), *SPLITS)
            if (use, row.id, sha256_bytes(row.text.encode())) in learnt
        ]
    return found
