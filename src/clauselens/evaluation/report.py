"""Compares systems on the same rows and writes the figures down: JSON beside Markdown."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from clauselens.evaluation.bootstrap import (
    F1Draws,
    Interval,
    difference,
    draw_resamples,
    f1_draws,
    interval,
)
from clauselens.evaluation.metrics import BoolArray, FloatArray, Metrics, compute_metrics
from clauselens.storage import write_json, write_text

METRICS = "metrics.json"
REPORT = "report.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system under test: scores ``(n, labels)`` and cut-offs ``(labels,)``."""

    name: str
    scores: FloatArray
    thresholds: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemReport:
    """Figures of one system; the ``gain`` intervals are of the first system over this one."""

    name: str
    metrics: Metrics
    micro_f1: Interval
    macro_f1: Interval
    micro_gain: Interval
    macro_gain: Interval
    label_f1: tuple[Interval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All systems on the same rows; the first is the one the others are compared with."""

    protocol: str
    rows: int
    clusters: int
    systems: tuple[SystemReport, ...]


def compare(
    gold: BoolArray,
    systems: Sequence[System],
    labels: Sequence[str],
    *,
    clusters: Sequence[Hashable],
    protocol: str,
    seed: int = 0,
) -> Report:
    """Score systems on rows ``gold`` ``(n, labels)``; all share the bootstrap resamples."""
    resamples = draw_resamples(clusters, seed=seed)
    draws = [f1_draws(gold, s.scores >= s.thresholds, resamples) for s in systems]
    return Report(
        protocol=protocol,
        rows=len(gold),
        clusters=resamples.weights.shape[1],
        systems=tuple(
            _system(gold, system, labels, own, draws[0])
            for system, own in zip(systems, draws, strict=True)
        ),
    )


def _system(
    gold: BoolArray, system: System, labels: Sequence[str], own: F1Draws, first: F1Draws
) -> SystemReport:
    return SystemReport(
        name=system.name,
        metrics=compute_metrics(gold, system.scores, system.thresholds, labels),
        micro_f1=interval(own.micro),
        macro_f1=interval(own.macro),
        micro_gain=difference(first.micro, own.micro),
        macro_gain=difference(first.macro, own.macro),
        label_f1=tuple(interval(own.per_label[:, j]) for j in range(len(labels))),
    )


def write_report(folder: Path, report: Report) -> None:
    """Write ``metrics.json`` and ``report.md``."""
    write_json(folder / METRICS, asdict(report))
    write_text(folder / REPORT, render_report(report))


def render_report(report: Report) -> str:
    """The report as Markdown."""
    first = report.systems[0]
    labels = first.metrics.macro_labels
    lines = [
        "# Evaluation",
        "",
        report.protocol,
        "",
        f"{report.rows} rows in {report.clusters} clusters (document x near-duplicate group); 95 % "
        "intervals by the cluster bootstrap, conditional on the documents at hand. Macro-F1 is "
        f"over the {labels} labels with at least 10 positives. Gains are paired.",
        "",
        "| system | micro-F1 | macro-F1 | macro-F1, all | exact match "
        f"| micro gain of {first.name} | macro gain |",
        "|---|---|---|---:|---:|---|---|",
    ]
    for system in report.systems:
        gains = (
            ("", "")
            if system is first
            else (_signed(system.micro_gain), _signed(system.macro_gain))
        )
        lines.append(
            f"| {system.name} | {_range(system.micro_f1)} | {_range(system.macro_f1)} "
            f"| {system.metrics.macro_f1_all:.3f} | {system.metrics.exact_match:.3f} "
            f"| {gains[0]} | {gains[1]} |"
        )
    lines += [
        "",
        f"## {first.name}, by label",
        "",
        "| label | support | predicted | precision | recall | F1 | average precision |",
        "|---|---:|---:|---:|---:|---|---:|",
    ]
    for label, f1 in zip(first.metrics.labels, first.label_f1, strict=True):
        lines.append(
            f"| `{label.label}` | {label.support} | {label.predicted} | {_number(label.precision)} "
            f"| {_number(label.recall)} | {_range(f1)} | {_number(label.average_precision)} |"
        )
    return "\n".join(lines) + "\n"


def _number(value: float) -> str:
    return "–" if value != value else f"{value:.3f}"


def _range(value: Interval) -> str:
    if value.value != value.value:
        return "–"
    return f"{value.value:.3f} [{_number(value.low)}, {_number(value.high)}]"


def _signed(value: Interval) -> str:
    return f"{value.value:+.3f} [{value.low:+.3f}, {value.high:+.3f}]"
