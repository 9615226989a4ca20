"""Every wrong label of every row, by category, worst first; ``errors.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from clauselens.evaluation.highlight import WordEffects
from clauselens.evaluation.scored import ScoredRows
from clauselens.storage import write_jsonl

ERRORS = "errors.jsonl"
SHOWN = 15
"""How many errors of a category the page shows; ``errors.jsonl`` holds all."""

Kind = Literal["false_positive", "false_negative"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelError:
    """One wrong label of one row: ``row`` and ``column`` of the matrices, ``rank`` from 1 in its
    category, the worst first.
    """

    row: int
    column: int
    kind: Kind
    rank: int

    @property
    def shown(self) -> bool:
        return self.rank <= SHOWN


def errors_by_label(scored: ScoredRows) -> list[list[LabelError]]:
    """The errors of each label, in the order of the labels. The worst is the one whose score is
    farthest from the gold label; of equals, the row that stands first.
    """
    wrong = scored.gold != scored.predicted
    distance = np.abs(scored.scores - scored.gold)
    found: list[list[LabelError]] = []
    for column in range(len(scored.labels)):
        rows = np.flatnonzero(wrong[:, column])
        order = rows[np.argsort(-distance[rows, column], kind="stable")]
        found.append(
            [
                LabelError(
                    row=row,
                    column=column,
                    kind="false_negative" if scored.gold[row, column] else "false_positive",
                    rank=rank,
                )
                for rank, row in enumerate(order.tolist(), start=1)
            ]
        )
    return found


def rows_to_explain(errors: Sequence[Sequence[LabelError]]) -> list[int]:
    """The rows that the page shows among the errors, each once, in their order."""
    return sorted({error.row for label in errors for error in label if error.shown})


def write_errors(
    folder: Path,
    scored: ScoredRows,
    errors: Sequence[Sequence[LabelError]],
    effects: Mapping[int, WordEffects],
) -> None:
    """Write ``errors.jsonl``: one line a wrong label, by category, worst first. ``effects``: of
    the rows that were explained; the spans are characters of the row's text.
    """
    write_jsonl(
        folder / ERRORS, (_line(scored, error, effects) for label in errors for error in label)
    )


def _line(
    scored: ScoredRows, error: LabelError, effects: Mapping[int, WordEffects]
) -> dict[str, object]:
    row, column = error.row, error.column
    line: dict[str, object] = {
        "label": scored.labels[column],
        "rank": error.rank,
        "kind": error.kind,
        "id": scored.rows[row].id,
        "document_id": scored.rows[row].document_id,
        "text": scored.rows[row].text,
        "score": float(scored.scores[row, column]),
        "threshold": float(scored.cuts[row, column]),
    }
    if error.shown and row in effects:
        found = effects[row]
        line["word_effects"] = [
            {"start": start, "end": end, "logit": round(effect, 4)}
            for (start, end), effect in zip(
                found.spans, found.effects[:, column].tolist(), strict=True
            )
        ]
        context = found.context
        line["context_effect"] = None if context is None else round(float(context[column]), 4)
    return line
