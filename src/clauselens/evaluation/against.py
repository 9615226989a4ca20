"""Two evaluations of the same rows side by side: paired figures, and the rows that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from clauselens.errors import InputError
from clauselens.evaluation.bootstrap import Interval, difference, draw_resamples, interval
from clauselens.evaluation.figures import Figures, figures
from clauselens.evaluation.metrics import FloatArray, label_matrix
from clauselens.evaluation.report import METRICS
from clauselens.evaluation.scored import EVERY_ROW, PREDICTIONS, ScoredRows
from clauselens.records import Example
from clauselens.storage import field, read_json, read_jsonl, write_jsonl

CHANGES = "changes.jsonl"
CHANGES_SHOWN = 150
"""How many changed rows the page shows; ``changes.jsonl`` holds all."""

_SAME = ("text", "section", "lead_in")

ChangeKind = Literal["fixed", "broken", "different"]
CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRun:
    """An evaluation that was written before. ``rows``: what ``predictions.jsonl`` holds, by id."""

    folder: Path
    name: str
    runs: int
    protocol: str
    labels: tuple[str, ...]
    thresholds: Mapping[str, Mapping[str, float]]
    rows: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlignedRun:
    """The other run, and what it said of the rows of this one, in their order."""

    run: OtherRun
    scored: ScoredRows


@dataclass(frozen=True, slots=True, kw_only=True)
class Paired:
    """One figure of both runs, and this run less the other on the same resamples."""

    own: Interval
    other: Interval
    gain: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A row whose labels differ between the runs. ``fixed``: all right now, and not before;
    ``broken``: all right before, and not now; ``different``: wrong in both, in another way.
    ``columns``: the labels that changed.
    """

    row: int
    kind: ChangeKind
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Both runs: ``other`` holds its scores for the rows of this run, in their order.

    ``changes`` stand with the greatest movement of scores first.
    """

    run: OtherRun
    other: ScoredRows
    overall: Mapping[str, Paired]
    labels: Mapping[str, Mapping[str, Paired]]
    changes: tuple[Change, ...]


def read_run(folder: Path) -> OtherRun:
    """Read an evaluation folder. Raises InputError that names what is missing or malformed."""
    if not (folder / PREDICTIONS).is_file() or not (folder / METRICS).is_file():
        raise InputError(
            f"{folder}: no {PREDICTIONS} with {METRICS}; --against needs the folder that "
            "`evaluate` or `crossval` wrote, by this version"
        )
    metrics = read_json(folder / METRICS)
    place = str(folder / METRICS)
    if not isinstance(metrics, dict):
        raise InputError(f"{place}: expected an object, found {type(metrics).__name__}")
    systems = field(metrics, "systems", list, place=place)
    if not systems or not isinstance(systems[0], dict):
        raise InputError(f"{place}: no system in 'systems'")
    rows: dict[str, Mapping[str, Any]] = {}
    for line, row in read_jsonl(folder / PREDICTIONS):
        for key in ("id", *_SAME):
            field(row, key, str, place=line)
        field(row, "scores", dict, place=line)
        field(row, "gold", list, place=line)
        rows[row["id"]] = row
    return OtherRun(
        folder=folder,
        name=field(systems[0], "name", str, place=place),
        runs=len(field(systems[0], "runs", list, place=place)),
        protocol=field(metrics, "protocol", str, place=place),
        labels=tuple(field(metrics, "support", dict, place=place)),
        thresholds=field(metrics, "thresholds", dict, place=place),
        rows=rows,
    )


def align_run(run: OtherRun, rows: Sequence[Example], labels: Sequence[str]) -> AlignedRun:
    """The other run on the rows of this one, in their order, its columns in that of ``labels``.

    Raises InputError that names the first difference in labels or rows, if there is one.
    """
    _check_same(run, rows, labels)
    there = [run.rows[row.id] for row in rows]
    try:
        scores = [[float(row["scores"][label]) for label in labels] for row in there]
        cuts = [[float(_cuts(run, row)[label]) for label in labels] for row in there]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"--against {run.folder}: its scores or thresholds are not whole ({error}); evaluate "
            "it again"
        ) from None
    scored = ScoredRows(
        rows=tuple(rows),
        labels=tuple(labels),
        gold=label_matrix([row.labels for row in rows], labels),
        scores=np.array(scores),
        cuts=np.array(cuts),
        runs=run.runs,
    )
    return AlignedRun(run=run, scored=scored)


def _check_same(run: OtherRun, rows: Sequence[Example], labels: Sequence[str]) -> None:
    if set(run.labels) != set(labels):
        here, there = sorted(set(labels) - set(run.labels)), sorted(set(run.labels) - set(labels))
        raise InputError(
            f"--against {run.folder}: another taxonomy: labels only here: "
            f"{', '.join(here) or 'none'}; only there: {', '.join(there) or 'none'}"
        )
    ids = [row.id for row in rows]
    only_here, only_there = set(ids) - set(run.rows), set(run.rows) - set(ids)
    if only_here or only_there:
        raise InputError(
            f"--against {run.folder}: other data: {len(only_here)} of {len(ids)} rows are only "
            f"here, {len(only_there)} of {len(run.rows)} only there (such as "
            f"{min(only_here or only_there)!r}); evaluate both on the same split"
        )
    for row in rows:
        other = run.rows[row.id]
        changed = [key for key in _SAME if other[key] != getattr(row, key)]
        if sorted(map(str, other["gold"])) != sorted(row.labels):
            changed.append("gold labels")
        if changed:
            raise InputError(
                f"--against {run.folder}: other data: row {row.id!r} has another "
                f"{' and '.join(changed)}; evaluate both on the same data"
            )


def compare_runs(own: ScoredRows, aligned: AlignedRun) -> Comparison:
    """Pair the figures of both runs on the same resamples of the rows."""
    other = aligned.scored
    resamples = draw_resamples([(row.document_id, row.duplicate_group) for row in own.rows])
    first, second = (figures(one.gold, one.scores, one.cuts, resamples) for one in (own, other))
    return Comparison(
        run=aligned.run,
        other=other,
        overall={
            name: _paired(first.overall[name], second.overall[name]) for name in first.overall
        },
        labels={
            label: _paired_label(first, second, column) for column, label in enumerate(own.labels)
        },
        changes=_changes(own, other),
    )


def _cuts(run: OtherRun, row: Mapping[str, Any]) -> Mapping[str, float]:
    return run.thresholds.get(EVERY_ROW) or run.thresholds[row.get("document_id", "")]


def _paired(own: FloatArray, other: FloatArray) -> Paired:
    return Paired(own=interval(own), other=interval(other), gain=difference(own, other))


def _paired_label(own: Figures, other: Figures, column: int) -> dict[str, Paired]:
    return {
        name: _paired(own.labels[name][:, column], other.labels[name][:, column])
        for name in own.labels
    }


def _changes(own: ScoredRows, other: ScoredRows) -> tuple[Change, ...]:
    now, before = own.predicted, other.predicted
    moved = np.where(now != before, np.abs(own.scores - other.scores), 0).sum(1)
    differs = (now != before).any(1)
    right_now, right_before = ((given == own.gold).all(1) for given in (now, before))
    return tuple(
        Change(
            row=row,
            kind="fixed" if right_now[row] else "broken" if right_before[row] else "different",
            columns=tuple(np.flatnonzero(now[row] != before[row]).tolist()),
        )
        for row in np.argsort(-moved, kind="stable").tolist()
        if differs[row]
    )


def write_changes(folder: Path, own: ScoredRows, comparison: Comparison) -> None:
    """Write ``changes.jsonl``: one line a row whose labels differ between the runs."""

    def given(scored: ScoredRows, row: int, columns: Sequence[int]) -> dict[str, object]:
        return {
            "labels": list(scored.names(scored.predicted[row])),
            "scores": {scored.labels[j]: float(scored.scores[row, j]) for j in columns},
            "thresholds": {scored.labels[j]: float(scored.cuts[row, j]) for j in columns},
        }

    write_jsonl(
        folder / CHANGES,
        (
            {
                "id": own.rows[change.row].id,
                "kind": change.kind,
                "text": own.rows[change.row].text,
                "gold": list(own.names(own.gold[change.row])),
                "this": given(own, change.row, change.columns),
                "other": given(comparison.other, change.row, change.columns),
            }
            for change in comparison.changes
        ),
    )
