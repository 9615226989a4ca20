"""The report of an evaluation as one self-contained HTML page."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from clauselens.evaluation import tables
from clauselens.evaluation.against import CHANGE_KINDS, CHANGES, CHANGES_SHOWN, Change, Comparison
from clauselens.evaluation.errors import ERRORS, SHOWN, LabelError
from clauselens.evaluation.highlight import STEPS, Piece, WordEffects, pieces, step, strongest
from clauselens.evaluation.metrics import MIN_SUPPORT
from clauselens.evaluation.pictures import Picture
from clauselens.evaluation.report import Report, frequent_labels
from clauselens.evaluation.scored import PREDICTIONS, ScoredRows
from clauselens.pages.render import render_page
from clauselens.records import Example
from clauselens.storage import sha256_bytes

PAGE = "evaluation.html"

_MARKS = re.compile(r"(`[^`]+`|\*\*.+?\*\*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A label's score beside its cut-off; ``gold`` and ``given`` say whether the row has it."""

    label: str
    score: float
    cut: float
    gold: bool
    given: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """A text in pieces by what its words did to a label's score, and that in words."""

    pieces: tuple[Piece, ...]
    context_step: int
    context: str
    words_for: str
    words_against: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A row on the page: one of its errors, or how it changed between two runs.

    ``labels`` and ``document`` are positions in the lists that the page filters by.
    """

    anchor: str
    kind: str
    row: Example
    document: int
    labels: tuple[int, ...]
    rank: int
    gold: tuple[str, ...]
    given: tuple[str, ...]
    before: tuple[str, ...]
    scores: tuple[Score, ...]
    scores_before: tuple[Score, ...]
    explained: Explained | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The errors of one category: how many there are, and those that are shown."""

    label: str
    false_positives: int
    false_negatives: int
    items: tuple[Item, ...]


def render_evaluation(
    report: Report,
    scored: ScoredRows,
    errors: Sequence[Sequence[LabelError]],
    *,
    pictures: Sequence[Picture],
    folder: Path,
    effects: Mapping[int, WordEffects] | None,
    comparison: Comparison | None = None,
) -> str:
    """The page; equal arguments give equal text.

    ``pictures`` stand in ``folder``; ``effects``: of the rows that were explained, None where no
    model is at hand; ``comparison`` adds the other run.
    """
    documents = sorted({row.document_id for row in scored.rows})
    place = {document: index for index, document in enumerate(documents)}
    changes = comparison.changes if comparison else ()
    return render_page(
        "evaluation.html",
        styles=["evaluation.css"],
        scripts=["evaluation.js"],
        title=f"Evaluation of {report.systems[0].name}",
        report=report,
        protocol=_marked(report.protocol),
        min_support=MIN_SUPPORT,
        frequent=frequent_labels(report),
        runs=scored.runs,
        systems=tables.systems_table(report),
        labels=tables.labels_table(report, errors),
        documents=tables.parts_table(report, documents, caption="By document", heading="document"),
        kinds=tables.parts_table(
            report,
            {row.kind for row in scored.rows} - set(documents),
            caption="By kind of row",
            heading="kind",
        ),
        pictures=[(picture, *_embedded(folder / picture.file)) for picture in pictures],
        groups=[
            _group(scored, column, found, place, effects or {})
            for column, found in enumerate(errors)
        ],
        label_names=scored.labels,
        document_names=documents,
        explained=effects is not None,
        steps=STEPS,
        shown=SHOWN,
        errors_file=ERRORS,
        predictions_file=PREDICTIONS,
        comparison=comparison,
        other_protocol=_marked(comparison.run.protocol) if comparison else (),
        overall_comparison=tables.overall_comparison(comparison) if comparison else None,
        labels_comparison=tables.labels_comparison(comparison) if comparison else None,
        change_counts={kind: sum(c.kind == kind for c in changes) for kind in CHANGE_KINDS},
        changes=[
            _change(scored, comparison.other, change, rank, place)
            for rank, change in enumerate(changes[:CHANGES_SHOWN], start=1)
        ]
        if comparison
        else [],
        changes_file=CHANGES,
    )


def _group(
    scored: ScoredRows,
    column: int,
    errors: Sequence[LabelError],
    place: Mapping[str, int],
    effects: Mapping[int, WordEffects],
) -> Group:
    return Group(
        label=scored.labels[column],
        false_positives=sum(error.kind == "false_positive" for error in errors),
        false_negatives=sum(error.kind == "false_negative" for error in errors),
        items=tuple(
            _error(scored, error, place, effects.get(error.row)) for error in errors if error.shown
        ),
    )


def _error(
    scored: ScoredRows, error: LabelError, place: Mapping[str, int], effects: WordEffects | None
) -> Item:
    row = scored.rows[error.row]
    gold, given = scored.gold[error.row], scored.predicted[error.row]
    own = [j for j in range(len(gold)) if gold[j] or given[j]]
    return Item(
        anchor=_anchor("e", scored.labels[error.column], row.id),
        kind=error.kind,
        row=row,
        document=place[row.document_id],
        labels=(error.column,),
        rank=error.rank,
        gold=scored.names(gold),
        given=scored.names(given),
        before=(),
        scores=_scores(scored, error.row, own),
        scores_before=(),
        explained=_explained(row.text, effects, error.column) if effects else None,
    )


def _change(
    own: ScoredRows, other: ScoredRows, change: Change, rank: int, place: Mapping[str, int]
) -> Item:
    row = own.rows[change.row]
    return Item(
        anchor=_anchor("c", row.id),
        kind=change.kind,
        row=row,
        document=place[row.document_id],
        labels=change.columns,
        rank=rank,
        gold=own.names(own.gold[change.row]),
        given=own.names(own.predicted[change.row]),
        before=own.names(other.predicted[change.row]),
        scores=_scores(own, change.row, change.columns),
        scores_before=_scores(other, change.row, change.columns),
        explained=None,
    )


def _scores(scored: ScoredRows, row: int, columns: Sequence[int]) -> tuple[Score, ...]:
    return tuple(
        Score(
            label=scored.labels[j],
            score=float(scored.scores[row, j]),
            cut=float(scored.cuts[row, j]),
            gold=bool(scored.gold[row, j]),
            given=bool(scored.predicted[row, j]),
        )
        for j in columns
    )


def _explained(text: str, effects: WordEffects, column: int) -> Explained:
    own = effects.effects[:, column]
    words_for, words_against = strongest(text, effects.spans, own)
    context = 0.0 if effects.context is None else float(effects.context[column])
    return Explained(
        pieces=tuple(pieces(text, effects.spans, own)),
        context_step=step(context),
        context="" if effects.context is None else f"{context:+.1f}",
        words_for=_listed(words_for),
        words_against=_listed(words_against),
    )


def _listed(words: Sequence[tuple[str, float]]) -> str:
    return ", ".join(f"“{' '.join(word.split())}” {effect:+.1f}" for word, effect in words)


def _anchor(prefix: str, *parts: str) -> str:
    """An id that stays the same as long as the row and the label do."""
    return f"{prefix}-{sha256_bytes(chr(0).join(parts).encode())[:12]}"


def _marked(text: str) -> list[tuple[str, str]]:
    """The few marks of Markdown that a protocol uses, as ``(element, text)``."""
    found = []
    for part in _MARKS.split(text):
        if part.startswith("`"):
            found.append(("code", part.strip("`")))
        elif part.startswith("**"):
            found.append(("strong", part.strip("*")))
        elif part:
            found.append(("", part))
    return found


def _embedded(file: Path) -> tuple[str, int, int]:
    """A PNG file as a ``data:`` address, with its width and height in pixels."""
    data = file.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    return f"data:image/png;base64,{base64.b64encode(data).decode()}", width, height
