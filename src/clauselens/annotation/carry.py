"""Moves labels from one segmentation to a later one, by character span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from clauselens.records import Annotation, Sentence
from clauselens.taxonomy import Taxonomy


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """The moved annotations, and the ids of the new units that must be read again."""

    annotations: tuple[Annotation, ...]
    read_again: tuple[str, ...]


def carry_labels(
    old: Sequence[Sentence],
    gold: Mapping[str, Annotation],
    new: Sequence[Sentence],
    *,
    taxonomy: Taxonomy,
) -> Carried:
    """Carry the labels of ``old`` units to the clauses among ``new``.

    A unit whose span, section and lead-in are unchanged keeps its labels. Any other clause gets
    the union of the labels of the old clauses that it overlaps, and is listed to be read again.
    """
    unchanged = {(s.document_id, s.start, s.end, s.section, s.lead_in): s.id for s in old}
    annotations = []
    read_again = []
    for unit in new:
        if not unit.is_clause:
            continue
        key = (unit.document_id, unit.start, unit.end, unit.section, unit.lead_in)
        same = gold.get(unchanged.get(key, ""))
        if same is not None:
            annotations.append(same)
            continue
        overlapped = [
            gold[s.id]
            for s in old
            if s.document_id == unit.document_id
            and s.start < unit.end
            and unit.start < s.end
            and s.id in gold
        ]
        annotations.append(
            Annotation(
                sentence_id=unit.id,
                annotator="carried",
                labels=taxonomy.sort(
                    (label for annotation in overlapped for label in annotation.labels),
                    where=unit.id,
                ),
                note="carried over by character span from "
                + (", ".join(annotation.sentence_id for annotation in overlapped) or "nothing"),
            )
        )
        read_again.append(unit.id)
    return Carried(annotations=tuple(annotations), read_again=tuple(read_again))
