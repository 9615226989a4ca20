"""Puts a model and the baselines on the same rows, and writes the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from clauselens.dataset.rows import clauses, read_examples
from clauselens.errors import InputError
from clauselens.evaluation.leakage import check_unseen
from clauselens.evaluation.markdown import REPORT, render_report
from clauselens.evaluation.metrics import label_matrix
from clauselens.evaluation.mistakes import Mistake, worst_mistakes
from clauselens.evaluation.plots import (
    plot_calibration,
    plot_confusion,
    plot_cooccurrence,
    plot_label_f1,
    plot_precision_recall,
)
from clauselens.evaluation.report import Report, System, compare, write_metrics
from clauselens.evaluation.thresholds import fit_thresholds
from clauselens.inference.classifier import ClauseClassifier
from clauselens.model.folder import DATA_MANIFEST, TRAINING_CONFIG
from clauselens.records import Example
from clauselens.storage import read_json, write_text
from clauselens.training.baselines import prior_scores, tfidf_scores

MISTAKES = 15
"""How many of the worst errors a report shows."""


def evaluate_model(
    model: Path, *, data: Path | None, split: str, out: Path, near_duplicates: bool = False
) -> Report:
    """Score ``model`` on the rows of ``split``, with and without context, beside baselines.

    The baselines are fitted on the train split of the same data. Writes the report into ``out``.
    Raises InputError if the split is empty or the model saw its rows.
    """
    classifier = ClauseClassifier.load(model)
    source = str(data or read_json(model / DATA_MANIFEST)["data"])
    examples = read_examples(Path(source), taxonomy=classifier.taxonomy)
    rows = clauses(examples, split)
    if not rows:
        raise InputError(f"{source}: no rows in the split {split!r}")
    alike = check_unseen(model / DATA_MANIFEST, rows, data=source, near_duplicates=near_duplicates)
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
    write_report(out, report, rows=rows, system=systems[0], labels=classifier.labels)
    return report


def _written_rows(model: Path, classifier: ClauseClassifier) -> list[Example]:
    """The written examples that the model was taught, so that the baselines learn them too."""
    written = read_json(model / TRAINING_CONFIG)["config"]["written"]
    if not written:
        return []
    rows = read_json(model / DATA_MANIFEST)["rows"]
    taught = {row["id"] for row in rows if row["use"] == "written"}
    examples = read_examples(Path(written), taxonomy=classifier.taxonomy)
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
    folder: Path,
    report: Report,
    *,
    rows: Sequence[Example],
    system: System,
    labels: Sequence[str],
) -> list[Mistake]:
    """Write ``metrics.json``, ``report.md`` and its pictures; ``system`` is the first one.

    Returns the worst errors, which the report shows.
    """
    gold = label_matrix([row.labels for row in rows], labels)
    scores = np.mean(system.scores, axis=0)
    predicted = scores >= np.mean(
        [np.broadcast_to(cuts, scores.shape) for cuts in system.thresholds], axis=0
    )
    write_metrics(folder, report)
    first = report.systems[0]
    pictures: dict[str, Callable[[Path], None]] = {
        "label-f1.png": lambda path: plot_label_f1(
            path, labels, gold.sum(0), [first.labels[label]["f1"] for label in labels]
        ),
        "precision-recall.png": lambda path: plot_precision_recall(path, labels, gold, scores),
        "calibration.png": lambda path: plot_calibration(path, gold, scores),
        "confusion.png": lambda path: plot_confusion(path, labels, gold, predicted),
        "co-occurrence.png": lambda path: plot_cooccurrence(path, labels, gold),
    }
    for name, draw in pictures.items():
        draw(folder / name)
    mistakes = worst_mistakes(rows, gold, scores, predicted, labels, number=MISTAKES)
    write_text(folder / REPORT, render_report(report, mistakes=mistakes, pictures=list(pictures)))
    return mistakes
