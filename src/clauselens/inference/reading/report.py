"""The reading report of some policies: put together, written as a page and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from clauselens.errors import InputError
from clauselens.inference.classifier import ClauseClassifier, Thresholds
from clauselens.inference.nearest import training_clauses
from clauselens.inference.reading.changes import compare
from clauselens.inference.reading.coverage import coverage, findings
from clauselens.inference.reading.policies import read_policy
from clauselens.inference.reading.records import (
    MARGIN,
    Change,
    Findings,
    ModelFacts,
    ReadingReport,
    ReadSentence,
)

DEFAULT_TITLE = "Reading report"


def read_report(
    classifier: ClauseClassifier,
    paths: Sequence[Path],
    *,
    title: str = "",
    threshold: Thresholds = None,
    changes: bool = False,
    progress: Callable[[str], None] = lambda text: None,
) -> ReadingReport:
    """Read ``paths`` with ``classifier``; with ``changes`` they are an old and a new version.

    Equal inputs give equal reports. Raises InputError on a document that cannot be read, a bad
    threshold, or another number of documents than two with ``changes``.
    """
    if changes and len(paths) != 2:
        raise InputError(
            f"--changes compares two documents, the old and the new version; {len(paths)} given"
        )
    learnt = training_clauses(classifier)
    model = ModelFacts(
        name=classifier.folder.resolve().name,
        checksum=classifier.checksum,
        engine=f"{classifier.engine.name} {classifier.engine.precision}",
        taxonomy=classifier.taxonomy,
        cuts=tuple(classifier.cuts(threshold).tolist()),
        has_neighbours=learnt is not None,
    )
    policies = []
    for number, path in enumerate(paths, start=1):
        progress(f"{path.name} ({number} of {len(paths)})")
        policies.append(
            read_policy(
                path,
                classifier,
                number=number,
                prefix=f"p{number}-" if len(paths) > 1 else "",
                threshold=threshold,
                learnt=learnt,
            )
        )
    progress("putting the report together")
    return ReadingReport(
        title=title or (policies[0].title if len(policies) == 1 else DEFAULT_TITLE),
        model=model,
        policies=tuple(policies),
        matrix=tuple(
            tuple(findings(policy, (label,), model) for policy in policies)
            for label in model.labels
        ),
        coverage=coverage(policies, model),
        changes=compare(*policies) if changes else None,
    )


def to_json(report: ReadingReport) -> dict[str, Any]:
    """The facts of the page as JSON: offsets count characters of each document's text."""
    model = report.model
    return {
        "title": report.title,
        "model": {
            "name": model.name,
            "checksum": model.checksum,
            "engine": model.engine,
            "taxonomy": {"name": model.taxonomy.name, "version": model.taxonomy.version},
            "thresholds": dict(zip(model.labels, model.cuts, strict=True)),
            "nearest_training_sentences": model.has_neighbours,
        },
        "close_call_margin": MARGIN,
        "policies": [
            {
                "number": policy.number,
                "title": policy.title,
                "source": policy.document.source,
                "sha256": policy.document.sha256,
                "sentences": [_sentence(read) for read in policy.sentences],
            }
            for policy in report.policies
        ],
        "coverage": [
            {
                "article": article.title,
                "items": [
                    {
                        "item": item.item.id,
                        "text": item.item.text,
                        "categories": list(item.labels),
                        "policies": [_findings(found) for found in item.policies],
                    }
                    for item in article.items
                ],
            }
            for article in report.coverage
        ],
        "changes": None
        if report.changes is None
        else {
            "unchanged": report.changes.unchanged,
            "moved": report.changes.moved,
            "changes": [_change(change) for change in report.changes.changes],
        },
    }


def _sentence(read: ReadSentence) -> dict[str, Any]:
    sentence, prediction = read.sentence, read.prediction
    facts: dict[str, Any] = {
        "anchor": read.anchor,
        "start": sentence.start,
        "end": sentence.end,
        "kind": sentence.kind,
        "text": sentence.text,
        "section": list(sentence.section),
        "lead_in": sentence.lead_in,
    }
    if not sentence.is_clause:
        return facts
    return {
        **facts,
        "labels": list(prediction.labels),
        "close_calls": list(read.close_calls),
        "scores": {label: round(score, 6) for label, score in prediction.scores.items()},
        "context_read": read.context,
        "windows": prediction.windows,
        "language": prediction.language,
        "error": prediction.error,
        "nearest": [
            {
                "id": near.clause.id,
                "text": near.clause.text,
                "labels": list(near.clause.labels),
                "document": near.clause.document_id,
                "section": near.clause.section,
                "written": near.clause.written,
                "cosine": near.cosine,
            }
            for near in read.neighbours
        ],
    }


def _findings(found: Findings) -> dict[str, Any]:
    closest = found.closest
    return {
        "policy": found.policy.number,
        "found": [finding.read.anchor for finding in found.found],
        "closest": None
        if closest is None
        else {
            "sentence": closest.read.anchor,
            "category": closest.label,
            "score": round(closest.score, 6),
        },
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "kind": change.kind,
        "old": change.old.anchor if change.old else None,
        "new": change.new.anchor if change.new else None,
        "categories": list(change.labels),
        "words": [[run.kind, run.text] for run in change.runs],
    }
