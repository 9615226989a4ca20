"""Compares systems on the same rows and writes the figures down: JSON, Markdown, pictures."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np

from clauselens.evaluation.bootstrap import Interval, difference, draw_resamples, interval
from clauselens.evaluation.figures import Figures, figures, mean_figures
from clauselens.evaluation.metrics import (
    MIN_SUPPORT,
    BoolArray,
    FloatArray,
    Metrics,
    compute_metrics,
)
from clauselens.storage import write_json

METRICS = "metrics.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """A system under test, run once for each seed on the same rows.

    ``scores``: one array ``(n, labels)`` for each run; ``thresholds``: as many, each of which
    broadcasts to the scores, as does ``prior``, the label shares known without these rows.
    """

    name: str
    scores: tuple[FloatArray, ...]
    thresholds: tuple[FloatArray, ...]
    prior: FloatArray | None = None

    def at_one_half(self) -> System:
        """The same scores, cut at 0.5 for every label: what fitted thresholds are worth."""
        cuts = tuple(np.full(scores.shape[1], 0.5) for scores in self.scores)
        return replace(self, name=f"{self.name}, every threshold 0.5", thresholds=cuts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemReport:
    """Figures of one system: means over its runs, each with the interval over the rows.

    ``gains`` are of the first system over this one, paired. ``runs`` holds each run's metrics,
    ``parts`` the micro- and macro-F1 of subsets of the rows (documents, kinds).
    """

    name: str
    overall: Mapping[str, Interval]
    labels: Mapping[str, Mapping[str, Interval]]
    gains: Mapping[str, Interval]
    runs: tuple[Metrics, ...]
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All systems on the same rows; the first is the one the others are compared with."""

    protocol: str
    rows: int
    clusters: int
    support: Mapping[str, int]
    systems: tuple[SystemReport, ...]


def compare(
    gold: BoolArray,
    systems: Sequence[System],
    labels: Sequence[str],
    *,
    clusters: Sequence[Hashable],
    parts: Sequence[Sequence[str]] = (),
    protocol: str,
    seed: int = 0,
) -> Report:
    """Score systems on rows ``gold`` ``(n, labels)``; all share the bootstrap resamples.

    ``parts`` holds names of subsets, one name for each row in each entry.
    """
    resamples = draw_resamples(clusters, seed=seed)
    found = [
        mean_figures(
            [
                figures(gold, scores, cuts, resamples, prior=system.prior)
                for scores, cuts in zip(system.scores, system.thresholds, strict=True)
            ]
        )
        for system in systems
    ]
    return Report(
        protocol=protocol,
        rows=len(gold),
        clusters=resamples.weights.shape[1],
        support=dict(zip(labels, gold.sum(0).tolist(), strict=True)),
        systems=tuple(
            _system(gold, system, labels, own, found[0], parts)
            for system, own in zip(systems, found, strict=True)
        ),
    )


def _system(
    gold: BoolArray,
    system: System,
    labels: Sequence[str],
    own: Figures,
    first: Figures,
    parts: Sequence[Sequence[str]],
) -> SystemReport:
    runs = list(zip(system.scores, system.thresholds, strict=True))
    return SystemReport(
        name=system.name,
        overall={name: interval(draws) for name, draws in own.overall.items()},
        labels={
            label: {name: interval(draws[:, j]) for name, draws in own.labels.items()}
            for j, label in enumerate(labels)
        },
        gains={
            name: difference(first.overall[name], own.overall[name])
            for name in ("micro_f1", "macro_f1")
        },
        runs=tuple(compute_metrics(gold, scores, cuts, labels) for scores, cuts in runs),
        parts={
            name: _part(gold, runs, labels, np.array(names) == name)
            for names in parts
            for name in dict.fromkeys(names)
        },
    )


def _part(
    gold: BoolArray,
    runs: Sequence[tuple[FloatArray, FloatArray]],
    labels: Sequence[str],
    rows: BoolArray,
) -> dict[str, float]:
    found = [
        compute_metrics(gold[rows], scores[rows], np.broadcast_to(cuts, scores.shape)[rows], labels)
        for scores, cuts in runs
    ]
    return {
        "rows": int(rows.sum()),
        "micro_f1": float(np.mean([m.micro_f1 for m in found])),
        "macro_f1": float(np.mean([m.macro_f1 for m in found])),
        "labels_in_macro": found[0].macro_labels,
    }


def frequent_labels(report: Report) -> int:
    """How many labels enter the macro average."""
    return sum(support >= MIN_SUPPORT for support in report.support.values())


def write_metrics(
    folder: Path, report: Report, *, thresholds: Mapping[str, Mapping[str, float]]
) -> None:
    """Write ``metrics.json``; ``thresholds`` of the first system, by rows and label."""
    write_json(folder / METRICS, {**asdict(report), "thresholds": thresholds})
