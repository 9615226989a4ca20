"""The figures of a report as tables for the page: text to read, numbers to sort by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from clauselens.evaluation.against import Comparison, Paired
from clauselens.evaluation.bootstrap import Interval
from clauselens.evaluation.errors import LabelError
from clauselens.evaluation.notation import (
    LABEL_TITLES,
    OVERALL_TITLES,
    bounds,
    number,
    signed,
    signed_bounds,
)
from clauselens.evaluation.report import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """An interval in [0, 1] to draw, in hundredths of the width."""

    low: float
    value: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A figure: its text, its interval in brackets, what it sorts by (None: last)."""

    text: str
    note: str = ""
    value: float | None = None
    bar: Bar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of a table: what it is about, and its cells; ``link``: an anchor on the page."""

    name: str
    cells: tuple[Cell, ...]
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table with a caption; the first heading is that of the names."""

    caption: str
    headings: tuple[str, ...]
    lines: tuple[Line, ...]


def systems_table(report: Report) -> Table:
    """Every figure of every system, and what the first gains over it."""
    first = report.systems[0]
    gains = ("micro_f1", "macro_f1")
    return Table(
        caption="All systems on the same rows, with 95 % intervals",
        headings=(
            "system",
            *OVERALL_TITLES.values(),
            *(f"{OVERALL_TITLES[name]}: gain of {first.name}" for name in gains),
        ),
        lines=tuple(
            Line(
                name=system.name,
                cells=(
                    *(_figure(system.overall[name]) for name in OVERALL_TITLES),
                    *(
                        Cell(text="") if system is first else _gain(system.gains[name])
                        for name in gains
                    ),
                ),
            )
            for system in report.systems
        ),
    )


def labels_table(report: Report, errors: Sequence[Sequence[LabelError]]) -> Table:
    """The first system by label; the label links to its errors."""
    system = report.systems[0]
    names = list(next(iter(system.labels.values())))
    lines = []
    for j, (label, figures) in enumerate(system.labels.items()):
        runs = [run.labels[j] for run in system.runs]
        wrong = [
            sum(error.kind == kind for error in errors[j])
            for kind in ("false_positive", "false_negative")
        ]
        lines.append(
            Line(
                name=label,
                link=f"label-{j}",
                cells=(
                    _count(report.support[label]),
                    _plain(float(np.mean([run.precision for run in runs]))),
                    _plain(float(np.mean([run.recall for run in runs]))),
                    *(_figure(figures[name], drawn=name == "f1") for name in names),
                    *(_count(number) for number in wrong),
                ),
            )
        )
    return Table(
        caption=f"{system.name}, by label",
        headings=(
            *("label", "support", "precision", "recall"),
            *(LABEL_TITLES[name] for name in names),
            *("false positives", "false negatives"),
        ),
        lines=tuple(lines),
    )


def parts_table(report: Report, names: Collection[str], *, caption: str, heading: str) -> Table:
    """Micro- and macro-F1 of every system on the parts of the rows that ``names`` holds."""
    return Table(
        caption=caption,
        headings=(
            heading,
            "rows",
            *(
                f"{system.name}: {OVERALL_TITLES[name]}"
                for system in report.systems
                for name in ("micro_f1", "macro_f1")
            ),
        ),
        lines=tuple(
            Line(
                name=name or "(none)",
                cells=(
                    _count(int(part["rows"])),
                    *(
                        _plain(system.parts[name][figure])
                        for system in report.systems
                        for figure in ("micro_f1", "macro_f1")
                    ),
                ),
            )
            for name, part in report.systems[0].parts.items()
            if name in names
        ),
    )


def overall_comparison(comparison: Comparison) -> Table:
    """Both runs, figure by figure."""
    return Table(
        caption="Both runs on the same rows, with 95 % intervals; differences are paired",
        headings=("figure", "this run", "other run", "difference"),
        lines=tuple(
            Line(name=title, cells=_paired(comparison.overall[name]))
            for name, title in OVERALL_TITLES.items()
        ),
    )


def labels_comparison(comparison: Comparison) -> Table:
    """Both runs, label by label."""
    names = list(next(iter(comparison.labels.values())))
    return Table(
        caption="Both runs by label",
        headings=(
            "label",
            *(
                f"{LABEL_TITLES[name]}: {which}"
                for name in names
                for which in ("this run", "other run", "difference")
            ),
        ),
        lines=tuple(
            Line(name=label, cells=tuple(cell for name in names for cell in _paired(found[name])))
            for label, found in comparison.labels.items()
        ),
    )


def _paired(paired: Paired) -> tuple[Cell, Cell, Cell]:
    return _figure(paired.own), _figure(paired.other), _gain(paired.gain)


def _count(value: int) -> Cell:
    return Cell(text=str(value), value=value)


def _plain(value: float) -> Cell:
    return Cell(text=number(value), value=_sortable(value))


def _figure(figure: Interval, *, drawn: bool = False) -> Cell:
    limits = (figure.low, figure.value, figure.high)
    bar = None
    if drawn and np.isfinite(limits).all():
        low, value, high = (round(100 * limit, 1) for limit in limits)
        bar = Bar(low=low, value=value, high=high)
    return Cell(
        text=number(figure.value), note=bounds(figure), value=_sortable(figure.value), bar=bar
    )


def _gain(gain: Interval) -> Cell:
    return Cell(text=signed(gain.value), note=signed_bounds(gain), value=_sortable(gain.value))


def _sortable(value: float) -> float | None:
    return None if value != value else value
