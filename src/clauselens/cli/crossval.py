"""Leave-one-policy-out for a configuration: the model, the baselines, the report, the shipment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from clauselens.cli.evaluation import write_report
from clauselens.cli.model import score_examples
from clauselens.dataset.folds import Fold, leave_one_document_out
from clauselens.dataset.rows import read_examples
from clauselens.evaluation.crossfit import choose_method, cross_fit, fit_final
from clauselens.evaluation.markdown import systems_table
from clauselens.evaluation.metrics import BoolArray, FloatArray, label_matrix
from clauselens.evaluation.report import Report, System, compare
from clauselens.records import CLAUSE_KINDS, Example
from clauselens.storage import write_json
from clauselens.taxonomy import read_taxonomy
from clauselens.training.baselines import embed, frozen_scores, prior_scores, tfidf_scores
from clauselens.training.config import TrainConfig
from clauselens.training.crossval import out_of_fold
from clauselens.training.encoders import resolve_encoder
from clauselens.training.finetune import training_arguments
from clauselens.training.run import check_free, train_final

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
) -> CrossValidated:
    """Run the protocol of ``docs/protocol.md`` and write the report into ``out``.

    With ``final``, then train the model to ship on all documents, with calibration and thresholds
    from all out-of-fold logits. Raises InputError before any work on bad input.
    """
    if final is not None:
        check_free(final, overwrite=overwrite)
    taxonomy = read_taxonomy(Path(config.taxonomy))
    examples = [
        e for e in read_examples(Path(config.data), taxonomy=taxonomy) if e.kind in CLAUSE_KINDS
    ]
    examples.sort(key=lambda example: (example.document_id, example.start))
    folds = leave_one_document_out(examples, purge=purge)
    encoder = resolve_encoder(config.encoder)
    training_arguments(config, out / "work")
    gold = label_matrix([example.labels for example in examples], taxonomy.labels)
    documents = [example.document_id for example in examples]
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
        )
        for seed in seeds
    ]
    progress("baselines")
    vectors = embed(encoder.folder, examples, config.input.format)
    method, losses = choose_method(gold, [run.with_context for run in runs], documents)
    systems = [
        _system(name, gold, [run.with_context for run in runs], documents, method),
        _system(f"{name}, bare sentences", gold, [run.bare for run in runs], documents, method),
        *_baselines(gold, examples, folds, documents, vectors),
    ]
    report = compare(
        gold,
        systems,
        taxonomy.labels,
        clusters=[(example.document_id, example.duplicate_group) for example in examples],
        parts=[documents, [example.kind for example in examples]],
        protocol=_protocol(config, folds, seeds, purge, method),
    )
    write_report(out, report, rows=examples, system=systems[0], labels=taxonomy.labels)
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
            table=f"{report.protocol}\n\n{systems_table(report)}",
        )
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
    gold: BoolArray,
    examples: Sequence[Example],
    folds: Sequence[Fold],
    documents: Sequence[str],
    vectors: np.ndarray,
) -> list[System]:
    def over_folds(score: Callable[[list[int], list[int]], FloatArray]) -> FloatArray:
        scores = np.zeros(gold.shape)
        for fold in folds:
            scores[list(fold.held_out)] = score(list(fold.train), list(fold.held_out))
        # As logits, so that they pass through the same calibration and thresholds.
        clipped = np.clip(scores, 1e-6, 1 - 1e-6)
        logits: FloatArray = np.log(clipped) - np.log1p(-clipped)
        return logits

    def pick(indices: list[int]) -> list[Example]:
        return [examples[index] for index in indices]

    found = {
        "TF-IDF + logistic regression": over_folds(
            lambda train, held: tfidf_scores(pick(train), gold[train], pick(held))
        ),
        "TF-IDF + logistic regression, bare sentences": over_folds(
            lambda train, held: tfidf_scores(pick(train), gold[train], pick(held), context=False)
        ),
        "frozen encoder + logistic regression": over_folds(
            lambda train, held: frozen_scores(vectors[train], gold[train], vectors[held])
        ),
        "label prior": over_folds(lambda train, held: prior_scores(gold[train], len(held))),
    }
    return [
        _system(name, gold, [logits], documents, choose_method(gold, [logits], documents)[0])
        for name, logits in found.items()
    ]


def _protocol(
    config: TrainConfig,
    folds: Sequence[Fold],
    seeds: Sequence[int],
    purge: float | None,
    method: str,
) -> str:
    removed = ", ".join(f"{len(fold.purged)} for {fold.document}" for fold in folds)
    purged = (
        "no training row was removed"
        if purge is None
        else f"training rows with character TF-IDF cosine >= {purge:g} to a held-out row were "
        f"removed ({removed})"
    )
    return (
        f"Leave-one-policy-out on `{config.data}`: {len(folds)} folds, seeds "
        f"{', '.join(map(str, seeds))}; {purged}. A policy's calibration ({method}) and thresholds "
        "are fitted on the out-of-fold logits of the other policies. Figures describe the recipe, "
        "averaged over the seeds; no model is scored on rows that it saw. The baselines have the "
        "same folds, context, class weights and tuning."
    )
