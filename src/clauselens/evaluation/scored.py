"""The rows of an evaluation with what the first system said of them; ``predictions.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clauselens.evaluation.metrics import BoolArray, FloatArray, label_matrix
from clauselens.evaluation.report import System
from clauselens.records import Example
from clauselens.storage import write_jsonl

PREDICTIONS = "predictions.jsonl"
EVERY_ROW = "all"
"""The key of thresholds that serve all rows alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredRows:
    """Rows with their scores; of several runs (seeds), the mean of scores and of thresholds.

    ``gold``, ``scores`` and ``cuts`` are ``(n, labels)``: a label is given where its score in
    [0, 1] is at or above its cut-off.
    """

    rows: tuple[Example, ...]
    labels: tuple[str, ...]
    gold: BoolArray
    scores: FloatArray
    cuts: FloatArray
    runs: int

    @property
    def predicted(self) -> BoolArray:
        """The labels that were given: ``(n, labels)``."""
        given: BoolArray = self.scores >= self.cuts
        return given

    def names(self, row: BoolArray) -> tuple[str, ...]:
        """The labels of one row of a matrix."""
        return tuple(label for label, given in zip(self.labels, row, strict=True) if given)

    @property
    def thresholds(self) -> Mapping[str, Mapping[str, float]]:
        """The cut-offs by label: one set under ``all``, or one for each document."""
        first = self.cuts[0]
        if (self.cuts == first).all():
            return {EVERY_ROW: dict(zip(self.labels, first.tolist(), strict=True))}
        return {
            row.document_id: dict(zip(self.labels, cuts.tolist(), strict=True))
            for row, cuts in zip(self.rows, self.cuts, strict=True)
        }


def scored_rows(rows: Sequence[Example], labels: Sequence[str], system: System) -> ScoredRows:
    """The rows with the scores of ``system``, averaged over its runs."""
    scores = np.mean(system.scores, axis=0)
    return ScoredRows(
        rows=tuple(rows),
        labels=tuple(labels),
        gold=label_matrix([row.labels for row in rows], labels),
        scores=scores,
        cuts=np.mean([np.broadcast_to(cuts, scores.shape) for cuts in system.thresholds], axis=0),
        runs=len(system.scores),
    )


def write_predictions(folder: Path, scored: ScoredRows) -> None:
    """Write ``predictions.jsonl``, one line a row; the thresholds stand in ``metrics.json``."""
    write_jsonl(
        folder / PREDICTIONS,
        (
            {
                "id": row.id,
                "document_id": row.document_id,
                "kind": row.kind,
                "duplicate_group": row.duplicate_group,
                "section": row.section,
                "lead_in": row.lead_in,
                "text": row.text,
                "gold": list(row.labels),
                "labels": list(scored.names(given)),
                "scores": dict(zip(scored.labels, scores.tolist(), strict=True)),
            }
            for row, given, scores in zip(scored.rows, scored.predicted, scored.scores, strict=True)
        ),
    )
