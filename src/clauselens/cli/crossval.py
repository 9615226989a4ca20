"""Leave-one-policy-out for a configuration: the model, the baselines, the report, the shipment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from clauselens.cli.evaluation import PageOptions, write_page, write_report
from clauselens.cli.model import score_examples
from clauselens.dataset.duplicates import THRESHOLD
from clauselens.dataset.folds import Fold, leave_one_document_out
from clauselens.dataset.rows import read_examples
from clauselens.errors import InputError
from clauselens.evaluation.against import align_run
from clauselens.evaluation.crossfit import choose_method, cross_fit, fit_final
from clauselens.evaluation.markdown import labels_table, systems_table
from clauselens.evaluation.metrics import BoolArray, FloatArray, label_matrix
from clauselens.evaluation.report import Report, System, compare
from clauselens.evaluation.scored import scored_rows
from clauselens.inference.export import export
from clauselens.records import CLAUSE_KINDS, Example
from clauselens.storage import write_json
from clauselens.taxonomy import Taxonomy, read_taxonomy
from clauselens.training.baselines import embed, frozen_scores, prior_scores, tfidf_scores
from clauselens.training.config import TrainConfig
from clauselens.training.crossval import out_of_fold
from clauselens.training.encoders import Encoder, resolve_encoder
from clauselens.training.processes import process_count
from clauselens.training.run import FAILURES, check_free, train_final
from clauselens.training.stages import check_trainer, forget
from clauselens.training.written import TOO_ALIKE, read_written

SUMMARY = "crossval.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossValidated:
    """The report, and what the model to ship takes from it."""

    report: Report
    method: str
    losses: dict[str, float]


def cross_validate(
    config: TrainConfig,
    *,
    name: str,
    seeds: Sequence[int],
    purge: float | None,
    out: Path,
    final: Path | None,
    overwrite: bool,
    progress: Callable[[str], None],
    page: PageOptions | None = None,
) -> CrossValidated:
    """Run the protocol of ``docs/protocol.md`` and write the report into ``out``.

    With ``final``, then train the model to ship on all documents, with calibration and thresholds
    from all out-of-fold logits; with ``page``, the report is a page too. Raises InputError before
    any work on bad input.
    """
    if process_count() > 1:
        raise InputError("crossval runs in one process: folds are many and small; launch `train`")
    if final is not None:
        check_free(final, overwrite=overwrite)
    taxonomy = read_taxonomy(Path(config.taxonomy))
    examples = [
        e for e in read_examples(Path(config.data), taxonomy=taxonomy) if e.kind in CLAUSE_KINDS
    ]
    examples.sort(key=lambda example: (example.document_id, example.start))
    other = align_run(page.against, examples, taxonomy.labels) if page and page.against else None
    folds = leave_one_document_out(examples, purge=purge)
    encoder = resolve_encoder(config.encoder)
    check_trainer(config, out / "work")
    gold = label_matrix([example.labels for example in examples], taxonomy.labels)
    documents = [example.document_id for example in examples]
    written = read_written(config.written, taxonomy=taxonomy, apart_from=examples)
    runs = [
        out_of_fold(
            config,
            examples=examples,
            folds=folds,
            taxonomy=taxonomy,
            encoder=encoder,
            seed=seed,
            folder=out / "out-of-fold",
            scorer=score_examples,
            progress=progress,
            written=written,
        )
        for seed in seeds
    ]
    forget(out / "out-of-fold")
    progress("baselines")
    method, losses = choose_method(gold, [run.with_context for run in runs], documents)
    own = _system(name, gold, [run.with_context for run in runs], documents, method)
    systems = [
        own,
        own.at_one_half(),
        _system(f"{name}, bare sentences", gold, [run.bare for run in runs], documents, method),
        *_baselines(config, taxonomy, examples, folds, encoder, written),
    ]
    report = compare(
        gold,
        systems,
        taxonomy.labels,
        clusters=[(example.document_id, example.duplicate_group) for example in examples],
        parts=[documents, [example.kind for example in examples]],
        protocol=_protocol(config, folds, seeds, purge, method, written=len(written)),
    )
    scored = scored_rows(examples, taxonomy.labels, own)
    mistakes, pictures = write_report(out, report, scored)
    if page is not None:
        write_page(out, report, scored, pictures, other=other)
    write_json(
        out / SUMMARY,
        {
            "config": config.to_dict(),
            "seeds": list(seeds),
            "purge": purge,
            "purged": {fold.document: len(fold.purged) for fold in folds},
            "calibration": method,
            "log_loss": losses,
        },
    )
    if final is not None:
        progress(f"final model on all {len(examples)} rows: {final}")
        # One model is shipped, so its cut-offs come from the logits of all seeds.
        scaling, thresholds = fit_final(
            np.tile(gold, (len(runs), 1)),
            np.concatenate([run.with_context for run in runs]),
            method=method,
        )
        train_final(
            config,
            final,
            examples=examples,
            scaling=scaling,
            thresholds=thresholds,
            metrics=asdict(report),
            table=f"{report.protocol}\n\n{systems_table(report)}\n\n{labels_table(report)}",
            failures=mistakes[:FAILURES],
            scorer=score_examples,
        )
        progress(str(export(final, progress=progress)))
    return CrossValidated(report=report, method=method, losses=losses)


def _system(
    name: str,
    gold: BoolArray,
    logits: Sequence[FloatArray],
    documents: Sequence[str],
    method: str,
) -> System:
    fitted = [cross_fit(gold, run, documents, method=method) for run in logits]
    return System(
        name=name,
        scores=tuple(run.probabilities for run in fitted),
        thresholds=tuple(run.thresholds for run in fitted),
        prior=fitted[0].prior,
    )


def _baselines(
    config: TrainConfig,
    taxonomy: Taxonomy,
    examples: Sequence[Example],
    folds: Sequence[Fold],
    encoder: Encoder,
    written: Sequence[Example],
) -> list[System]:
    rows = [*examples, *written]
    gold = label_matrix([row.labels for row in rows], taxonomy.labels)
    documents = [example.document_id for example in examples]
    vectors = embed(encoder.folder, rows, config.input.format)

    def over_folds(score: Callable[[list[int], list[int]], FloatArray]) -> FloatArray:
        scores = np.zeros((len(examples), len(taxonomy.labels)))
        for fold in folds:
            held_out = list(fold.held_out)
            train = [*fold.train, *range(len(examples), len(rows))]
            scores[held_out] = score(train, held_out)
        # As logits, so that they pass through the same calibration and thresholds.
        clipped = np.clip(scores, 1e-6, 1 - 1e-6)
        logits: FloatArray = np.log(clipped) - np.log1p(-clipped)
        return logits

    def tfidf(context: bool) -> Callable[[list[int], list[int]], FloatArray]:
        return lambda train, held_out: tfidf_scores(
            [rows[i] for i in train], gold[train], [rows[i] for i in held_out], context=context
        )

    found = {
        "TF-IDF + logistic regression": over_folds(tfidf(context=True)),
        "TF-IDF + logistic regression, bare sentences": over_folds(tfidf(context=False)),
        "frozen encoder + logistic regression": over_folds(
            lambda train, held: frozen_scores(vectors[train], gold[train], vectors[held])
        ),
        "label prior": over_folds(lambda train, held: prior_scores(gold[train], len(held))),
    }
    own = gold[: len(examples)]
    return [
        _system(name, own, [logits], documents, choose_method(own, [logits], documents)[0])
        for name, logits in found.items()
    ]


def _protocol(
    config: TrainConfig,
    folds: Sequence[Fold],
    seeds: Sequence[int],
    purge: float | None,
    method: str,
    *,
    written: int,
) -> str:
    removed = ", ".join(f"{len(fold.purged)} for {fold.document}" for fold in folds)
    purged = (
        "no training row was removed"
        if purge is None
        else f"training rows with character TF-IDF cosine >= {purge:g} to a held-out row were "
        f"removed ({removed})"
    )
    more = (
        f", and the {written} written examples that taught in every fold: all but those with "
        f"encoder cosine >= {TOO_ALIKE:g} or character TF-IDF cosine >= {THRESHOLD:g} to any of "
        "the dataset's rows"
        if written
        else ""
    )
    return (
        f"Leave-one-policy-out on `{config.data}`: {len(folds)} folds, seeds "
        f"{', '.join(map(str, seeds))}; {purged}. A policy's calibration ({method}) and thresholds "
        "are fitted on the out-of-fold logits of the other policies. Figures describe the recipe, "
        "averaged over the seeds; no model is scored on rows that it saw. The baselines have the "
        f"same folds, context, class weights and tuning{more}."
    )
