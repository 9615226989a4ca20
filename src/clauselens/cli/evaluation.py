"""Puts a model and the baselines on the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from clauselens.dataset.rows import clauses, read_examples
from clauselens.errors import InputError
from clauselens.evaluation.leakage import check_unseen
from clauselens.evaluation.metrics import label_matrix
from clauselens.evaluation.report import Report, System, compare, write_report
from clauselens.evaluation.thresholds import fit_thresholds
from clauselens.inference.classifier import ClauseClassifier
from clauselens.model.folder import DATA_MANIFEST
from clauselens.storage import read_json
from clauselens.training.baselines import prior_scores, tfidf_scores


def evaluate_model(model: Path, *, data: Path | None, split: str, out: Path) -> Report:
    """Score ``model`` on the rows of ``split``, with and without context, beside baselines.

    The baselines are fitted on the train split of the same data. Writes the report into ``out``.
    Raises InputError if the split is empty or the model saw its rows.
    """
    classifier = ClauseClassifier.load(model)
    trained_on = read_json(model / DATA_MANIFEST)["data"]
    source = str(data or trained_on)
    examples = read_examples(Path(source), taxonomy=classifier.taxonomy)
    rows = clauses(examples, split)
    if not rows:
        raise InputError(f"{source}: no rows in the split {split!r}")
    check_unseen(model / DATA_MANIFEST, rows, data=source)
    gold = label_matrix([row.labels for row in rows], classifier.labels)
    texts, contexts = [row.text for row in rows], [row.context for row in rows]
    cuts = np.array(list(classifier.thresholds.values()))
    systems = [
        System(name=model.name, scores=classifier.predict_proba(texts, contexts), thresholds=cuts),
        System(
            name=f"{model.name}, bare sentences",
            scores=classifier.predict_proba(texts),
            thresholds=cuts,
        ),
    ]
    train, tuning = clauses(examples, "train"), clauses(examples, "validation")
    protocol = f"Rows: split `{split}` of `{source}`, unseen by the model."
    if train and tuning and split not in ("train", "validation"):
        taught, tuned = (
            label_matrix([row.labels for row in part], classifier.labels)
            for part in (train, tuning)
        )
        scores = tfidf_scores(train, taught, [*tuning, *rows])
        systems += [
            System(
                name="TF-IDF + logistic regression",
                scores=scores[len(tuning) :],
                thresholds=fit_thresholds(tuned, scores[: len(tuning)]),
            ),
            System(
                name="label prior",
                scores=prior_scores(taught, len(rows)),
                thresholds=fit_thresholds(tuned, prior_scores(taught, len(tuning))),
            ),
        ]
        protocol += (
            f" Fitted on {len(train)} rows of `train`, thresholds on {len(tuning)} of `validation`;"
            " the baselines have the same rows, context and tuning of thresholds."
        )
    report = compare(
        gold,
        systems,
        classifier.labels,
        clusters=[(row.document_id, row.duplicate_group) for row in rows],
        protocol=protocol,
    )
    write_report(out, report)
    return report
