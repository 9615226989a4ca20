"""The reading report as one HTML page."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from clauselens import __version__
from clauselens.inference.reading.layout import parts
from clauselens.inference.reading.looks import Look, looks
from clauselens.inference.reading.records import (
    MARGIN,
    Change,
    Changes,
    Policy,
    ReadingReport,
    ReadSentence,
)
from clauselens.model.training_clauses import TrainingClause
from clauselens.pages.render import render_page, shown

STYLES = ("reading/colours.css", "reading/text.css", "reading/panel.css", "reading/page.css")
SCRIPTS = tuple(
    f"reading/{name}.js"
    for name in ("state", "panel", "filter", "search", "steps", "changes", "views")
)

_SHOWN_FINDINGS, _LINKED_FINDINGS = 3, 12
"""Of an item's sentences: this many in full, and this many more as links."""

_EXCERPT = 140


def render_report(report: ReadingReport) -> str:
    """The page; equal reports give equal bytes."""
    shapes = looks(report.model.labels)
    return render_page(
        "reading/page.html",
        styles=STYLES,
        scripts=SCRIPTS,
        title=report.title,
        report=report,
        looks=shapes,
        parts={policy.number: parts(policy) for policy in report.policies},
        names={policy.number: _name(report, policy) for policy in report.policies},
        counts={policy.number: _counts(policy, shapes) for policy in report.policies},
        groups=_groups(report.changes, shapes) if report.changes else [],
        margin=MARGIN,
        version=__version__,
        shown_findings=_SHOWN_FINDINGS,
        linked_findings=_LINKED_FINDINGS,
        excerpt=excerpt,
        facts=_script_data(_facts(report, shapes)),
    )


def excerpt(text: str) -> str:
    """The beginning of ``text``, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= _EXCERPT else line[: _EXCERPT - 1].rstrip() + "…"


def _name(report: ReadingReport, policy: Policy) -> str:
    """What the page's navigation calls a policy: several often have one title."""
    if len(report.policies) == 1:
        return "The policy"
    if report.changes:
        return "Old version" if policy is report.changes.old else "New version"
    return policy.document.id


def _counts(policy: Policy, shapes: dict[str, Look]) -> list[tuple[Look, int]]:
    given = [label for read in policy.clauses for label in read.labels]
    return [(look, given.count(label)) for label, look in shapes.items()]


def _groups(
    changes: Changes, shapes: dict[str, Look]
) -> list[tuple[Look | None, list[tuple[str, Change]]]]:
    """Changes by the first of their labels in the taxonomy's order; without labels last."""
    groups: dict[Look | None, list[tuple[str, Change]]] = {
        look: [] for look in (*shapes.values(), None)
    }
    for change in changes.changes:
        own = sorted((shapes[label] for label in change.labels), key=lambda look: look.index)
        indices = " ".join(str(look.index) for look in own)
        groups[own[0] if own else None].append((indices, change))
    return [(look, listed) for look, listed in groups.items() if listed]


def _script_data(value: Any) -> Markup:
    """JSON that no text in it can end: it stands in a script element."""
    text = json.dumps(value, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def _facts(report: ReadingReport, shapes: dict[str, Look]) -> dict[str, Any]:
    """What the panel shows of a sentence, once each: see ``pages/reading/state.js``."""
    texts, learnt = _Table(), _Table()
    sentences = {
        read.anchor: _sentence(read, shapes, texts, learnt)
        for policy in report.policies
        for read in policy.clauses
    }
    return {
        "margin": MARGIN,
        "labels": [
            {"name": shown(look.name), "code": look.code, "classes": look.classes, "cut": cut}
            for look, cut in zip(shapes.values(), report.model.cuts, strict=True)
        ],
        "policies": {
            policy.anchor: {"title": shown(policy.title), "source": shown(policy.document.source)}
            for policy in report.policies
        },
        "hasNeighbours": report.model.has_neighbours,
        "sentences": sentences,
        "texts": [shown(text) for text in texts.rows],
        "learnt": [_training_clause(clause, shapes) for clause in learnt.rows],
    }


class _Table:
    """Values by number, each held once."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        return self._numbers.setdefault(value, len(self._numbers))

    @property
    def rows(self) -> list[Any]:
        return list(self._numbers)


def _sentence(
    read: ReadSentence, shapes: dict[str, Look], texts: _Table, learnt: _Table
) -> dict[str, Any]:
    """Short keys, scores in thousandths: there is one of these for every sentence."""
    prediction = read.prediction
    facts: dict[str, Any] = {
        "s": [round(1000 * score) for score in prediction.scores.values()],
        "l": _indices(read.labels, shapes),
        "n": _indices(read.close_calls, shapes),
        "w": prediction.windows,
        "p": texts.number(" › ".join(read.sentence.section)),
        "c": texts.number(read.context),
        "t": [[learnt.number(n.clause), round(1000 * n.cosine)] for n in read.neighbours],
    }
    if prediction.language:
        facts["f"] = prediction.language
    if prediction.error:
        facts["e"] = prediction.error
    return facts


def _indices(labels: Sequence[str], shapes: dict[str, Look]) -> list[int]:
    return [shapes[label].index for label in labels]


def _training_clause(clause: TrainingClause, shapes: dict[str, Look]) -> list[Any]:
    return [
        shown(clause.text),
        _indices(clause.labels, shapes),
        shown(clause.document_id),
        shown(clause.section),
        int(clause.written),
    ]
