"""Puts a model and the baselines on the same rows, and writes the report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from clauselens.dataset.rows import clauses, read_examples, read_ungrouped
from clauselens.errors import InputError
from clauselens.evaluation.against import (
    AlignedRun,
    OtherRun,
    align_run,
    compare_runs,
    read_run,
    write_changes,
)
from clauselens.evaluation.errors import errors_by_label, rows_to_explain, write_errors
from clauselens.evaluation.highlight import WordEffects
from clauselens.evaluation.leakage import check_unseen
from clauselens.evaluation.markdown import REPORT, render_report
from clauselens.evaluation.metrics import label_matrix
from clauselens.evaluation.mistakes import Mistake, worst_mistakes
from clauselens.evaluation.page import PAGE, render_evaluation
from clauselens.evaluation.pictures import Picture, draw_pictures
from clauselens.evaluation.report import Report, System, compare, write_metrics
from clauselens.evaluation.scored import ScoredRows, scored_rows, write_predictions
from clauselens.evaluation.thresholds import fit_thresholds
from clauselens.inference.classifier import ClauseClassifier
from clauselens.inference.occlusion import word_effects
from clauselens.model.folder import DATA_MANIFEST, TRAINING_CONFIG
from clauselens.records import Example
from clauselens.storage import read_json, write_text
from clauselens.training.baselines import prior_scores, tfidf_scores

MISTAKES = 15
"""How many of the worst errors a report shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageOptions:
    """That a page is wanted, and the other run that it shows beside this one."""

    against: OtherRun | None


def page_options(html: bool, against: Path | None) -> PageOptions | None:
    """What the options ``--html`` and ``--against`` ask for. Raises InputError."""
    if not html:
        if against is not None:
            raise InputError("--against shows two runs on the page: give --html too")
        return None
    return PageOptions(against=read_run(against) if against is not None else None)


def evaluate_model(
    model: Path,
    *,
    data: Path | None,
    split: str,
    out: Path,
    near_duplicates: bool = False,
    page: PageOptions | None = None,
) -> Report:
    """Score ``model`` on the rows of ``split``, with and without context, beside baselines.

    The baselines are fitted on the train split of the same data. Writes the report into ``out``,
    with ``page`` also as a page. Raises InputError if the split is empty, the model saw its rows,
    or the other run of the page has other rows.
    """
    classifier = ClauseClassifier.load(model)
    source = str(data or read_json(model / DATA_MANIFEST)["data"])
    examples = read_examples(Path(source), taxonomy=classifier.taxonomy)
    rows = clauses(examples, split)
    if not rows:
        raise InputError(f"{source}: no rows in the split {split!r}")
    alike = check_unseen(model / DATA_MANIFEST, rows, data=source, near_duplicates=near_duplicates)
    other = align_run(page.against, rows, classifier.labels) if page and page.against else None
    texts, contexts = [row.text for row in rows], [row.context for row in rows]
    cuts = np.array(list(classifier.thresholds.values()))
    train = clauses(examples, "train")
    taught = label_matrix([row.labels for row in train], classifier.labels)
    systems = [
        System(
            name=name,
            scores=(classifier.predict_proba(texts, given),),
            thresholds=(cuts,),
            prior=taught.mean(0) if train else None,
        )
        for name, given in ((model.name, contexts), (f"{model.name}, bare sentences", None))
        if given or classifier.uses_context
    ]
    systems.insert(1, systems[0].at_one_half())
    protocol = f"Rows: split `{split}` of `{source}`, unseen by the model."
    if alike:
        protocol += (
            f" **The split leaks**: {alike} of {len(rows)} rows are near-duplicates of rows that "
            "the model was trained on. The figures compare with others on this split; they say "
            "nothing about unseen documents."
        )
    tuning = clauses(examples, "validation")
    if train and tuning and split not in ("train", "validation"):
        more = _written_rows(model, classifier)
        systems += _baselines([*train, *more], tuning, rows, classifier.labels)
        protocol += (
            f" Fitted on {len(train)} rows of `train`"
            + (f" and {len(more)} written examples" if more else "")
            + f", thresholds on {len(tuning)} of `validation`;"
            " the baselines have the same rows, context and tuning of thresholds."
        )
    report = compare(
        label_matrix([row.labels for row in rows], classifier.labels),
        systems,
        classifier.labels,
        clusters=[(row.document_id, row.duplicate_group) for row in rows],
        parts=[[row.document_id for row in rows], [row.kind for row in rows]],
        protocol=protocol,
    )
    scored = scored_rows(rows, classifier.labels, systems[0])
    _, pictures = write_report(out, report, scored)
    if page is not None:
        write_page(out, report, scored, pictures, other=other, classifier=classifier)
    return report


def _written_rows(model: Path, classifier: ClauseClassifier) -> list[Example]:
    """The written examples that the model was taught, so that the baselines learn them too."""
    written = read_json(model / TRAINING_CONFIG)["config"]["written"]
    if not written:
        return []
    rows = read_json(model / DATA_MANIFEST)["rows"]
    taught = {row["id"] for row in rows if row["use"] == "written"}
    examples = read_ungrouped(Path(written), taxonomy=classifier.taxonomy)
    return [example for example in examples if example.id in taught]


def _baselines(
    train: Sequence[Example],
    tuning: Sequence[Example],
    rows: Sequence[Example],
    labels: Sequence[str],
) -> list[System]:
    taught, tuned = (label_matrix([row.labels for row in part], labels) for part in (train, tuning))
    both = [*tuning, *rows]
    systems = []
    for name, scores in (
        ("TF-IDF + logistic regression", tfidf_scores(train, taught, both)),
        (
            "TF-IDF + logistic regression, bare sentences",
            tfidf_scores(train, taught, both, context=False),
        ),
        ("label prior", prior_scores(taught, len(both))),
    ):
        systems.append(
            System(
                name=name,
                scores=(scores[len(tuning) :],),
                thresholds=(fit_thresholds(tuned, scores[: len(tuning)]),),
                prior=taught.mean(0),
            )
        )
    return systems


def write_report(
    folder: Path, report: Report, scored: ScoredRows
) -> tuple[list[Mistake], list[Picture]]:
    """Write ``metrics.json``, ``predictions.jsonl``, ``report.md`` and its pictures; ``scored``
    are the rows with what the first system said.

    Returns the worst errors and the pictures, which the report shows.
    """
    write_metrics(folder, report, thresholds=scored.thresholds)
    write_predictions(folder, scored)
    pictures = draw_pictures(folder, report, scored)
    mistakes = worst_mistakes(
        scored.rows, scored.gold, scored.scores, scored.predicted, scored.labels, number=MISTAKES
    )
    write_text(
        folder / REPORT,
        render_report(report, mistakes=mistakes, pictures=[one.file for one in pictures]),
    )
    return mistakes, pictures


def write_page(
    folder: Path,
    report: Report,
    scored: ScoredRows,
    pictures: Sequence[Picture],
    *,
    other: AlignedRun | None,
    classifier: ClauseClassifier | None = None,
) -> None:
    """Write ``evaluation.html``, ``errors.jsonl``, and ``changes.jsonl`` where an ``other`` run
    stands beside this one. Words are marked where the ``classifier`` of the scores is at hand.
    """
    errors = errors_by_label(scored)
    effects = _effects(classifier, scored, rows_to_explain(errors)) if classifier else None
    comparison = compare_runs(scored, other) if other else None
    write_errors(folder, scored, errors, effects or {})
    if comparison:
        write_changes(folder, scored, comparison)
    page = render_evaluation(
        report,
        scored,
        errors,
        pictures=pictures,
        folder=folder,
        effects=effects,
        comparison=comparison,
    )
    write_text(folder / PAGE, page)


def _effects(
    classifier: ClauseClassifier, scored: ScoredRows, rows: Sequence[int]
) -> dict[int, WordEffects]:
    found = word_effects(
        classifier,
        [scored.rows[row].text for row in rows],
        [scored.rows[row].context for row in rows],
    )
    return dict(zip(rows, found, strict=True))
