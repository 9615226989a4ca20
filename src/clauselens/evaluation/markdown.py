"""The report of an evaluation as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from clauselens.evaluation.metrics import MIN_SUPPORT
from clauselens.evaluation.mistakes import Mistake, mistakes_list
from clauselens.evaluation.notation import (
    LABEL_TITLES,
    OVERALL_TITLES,
    number,
    ranged,
    signed_range,
)
from clauselens.evaluation.report import Report, SystemReport, frequent_labels

REPORT = "report.md"
_HEADLINE = ("micro_f1", "macro_f1", "exact_match")


def render_report(
    report: Report, *, mistakes: Sequence[Mistake] = (), pictures: Sequence[str] = ()
) -> str:
    """Render all figures; ``pictures`` are file names beside the report."""
    parts = [
        "# Evaluation",
        report.protocol,
        f"{report.rows} rows in {report.clusters} clusters (document x near-duplicate group). "
        "Brackets: 95 % intervals by the cluster bootstrap, conditional on the documents at hand. "
        f"Macro-F1 is over the {frequent_labels(report)} labels with at least {MIN_SUPPORT} "
        "positives; gains are paired.",
        systems_table(report),
        *_further(report.systems[0]),
        f"## {report.systems[0].name}, by label",
        labels_table(report),
        *_parts(report),
        *(f"![{name.removesuffix('.png').replace('-', ' ')}]({name})" for name in pictures),
        *(["## The worst errors", mistakes_list(mistakes)] if mistakes else []),
    ]
    return "\n\n".join(parts) + "\n"


def systems_table(report: Report) -> str:
    """The headline: one line a system."""
    first = report.systems[0]
    lines = [
        f"| system | micro-F1 | macro-F1 | exact match | micro gain of {first.name} | macro gain |",
        "|---|---|---|---|---|---|",
    ]
    for system in report.systems:
        gains = [
            "" if system is first else signed_range(system.gains[name])
            for name in ("micro_f1", "macro_f1")
        ]
        cells = [ranged(system.overall[name]) for name in _HEADLINE]
        lines.append("| " + " | ".join([system.name, *cells, *gains]) + " |")
    return "\n".join(lines)


def _further(system: SystemReport) -> list[str]:
    names = [name for name in OVERALL_TITLES if name not in _HEADLINE]
    figures = "; ".join(f"{OVERALL_TITLES[name]} {ranged(system.overall[name])}" for name in names)
    found = [f"{system.name}: {figures}."]
    if len(system.runs) > 1:
        micro = ", ".join(f"{run.micro_f1:.3f}" for run in system.runs)
        macro = ", ".join(f"{run.macro_f1:.3f}" for run in system.runs)
        found.append(f"By seed: micro-F1 {micro}; macro-F1 {macro}.")
    return found


def labels_table(report: Report) -> str:
    """The first system, label by label."""
    system = report.systems[0]
    names = list(next(iter(system.labels.values())))
    lines = [
        "| label | support | precision | recall | "
        + " | ".join(LABEL_TITLES[name] for name in names)
        + " |",
        "|---|---:|---:|---:|" + "---|" * len(names),
    ]
    for j, (label, figures) in enumerate(system.labels.items()):
        runs = [run.labels[j] for run in system.runs]
        cells = [
            f"`{label}`",
            str(report.support[label]),
            number(sum(run.precision for run in runs) / len(runs)),
            number(sum(run.recall for run in runs) / len(runs)),
            *(ranged(figures[name]) for name in names),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _parts(report: Report) -> list[str]:
    if not report.systems[0].parts:
        return []
    lines = [
        "| rows | number | "
        + " | ".join(f"{system.name}: micro-F1 / macro-F1" for system in report.systems)
        + " |",
        "|---|---:|" + "---|" * len(report.systems),
    ]
    for name, part in report.systems[0].parts.items():
        cells = [
            f"{number(system.parts[name]['micro_f1'])} / {number(system.parts[name]['macro_f1'])}"
            for system in report.systems
        ]
        lines.append(f"| {name} | {part['rows']:.0f} | " + " | ".join(cells) + " |")
    return ["## By part", "\n".join(lines)]
