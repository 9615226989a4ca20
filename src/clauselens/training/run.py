"""One training run: fit, thresholds from the validation split, a sealed model folder."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clauselens import __version__
from clauselens.dataset.rows import clauses, read_examples
from clauselens.dataset.splits import with_validation
from clauselens.errors import InputError
from clauselens.evaluation.metrics import Metrics, compute_metrics, label_matrix
from clauselens.evaluation.thresholds import fit_thresholds
from clauselens.model.folder import (
    CHECKSUMS,
    DATA_MANIFEST,
    METRICS,
    THRESHOLDS,
    TRAINING_CONFIG,
    Calibration,
    seal,
    sigmoid,
    write_facts,
)
from clauselens.records import Example
from clauselens.storage import sha256_bytes, write_json
from clauselens.taxonomy import Taxonomy, read_taxonomy
from clauselens.training.config import TrainConfig
from clauselens.training.encoders import Encoder, resolve_encoder
from clauselens.training.finetune import FitFacts, fit, training_arguments

Scorer = Callable[[Path, Sequence[Example], bool], NDArray[np.float64]]
"""``scorer(folder, examples, with_context)`` loads a model folder and gives logits
``(n, labels)``: inference's classifier, handed in by the command, so that what is measured is what
ships."""

LIBRARIES = ("torch", "transformers", "tokenizers", "accelerate", "numpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedRun:
    """What a finished run reports."""

    folder: Path
    train_rows: int
    validation: Metrics
    fit: FitFacts


def train(config: TrainConfig, out: Path, *, scorer: Scorer, overwrite: bool = False) -> TrainedRun:
    """Train on the train split, fit thresholds on the validation split, write ``out``.

    The folder appears when it is complete; until then it grows beside it, with its checkpoints,
    and an interrupted run goes on from the last one. Raises InputError before any work on bad
    data, configuration or encoder, and if ``out`` is there and not to be overwritten.
    """
    if out.exists() and not overwrite:
        raise InputError(f"{out}: already there; choose another --out or pass --overwrite")
    if out.exists() and not (out / CHECKSUMS).exists():
        raise InputError(f"{out}: there, but no model folder; not overwriting it")
    taxonomy = read_taxonomy(Path(config.taxonomy))
    examples = read_examples(Path(config.data), taxonomy=taxonomy)
    if not clauses(examples, "validation"):
        examples = with_validation(examples, fraction=config.validation_fraction, seed=config.seed)
    encoder = resolve_encoder(config.encoder)
    partial, work = out.with_name(f".{out.name}.partial"), out.with_name(f".{out.name}.work")
    training_arguments(config, work)
    _start_or_resume(config, partial, work)
    rows = clauses(examples, "train")
    facts = fit(
        config, examples=rows, taxonomy=taxonomy, encoder=encoder, folder=partial, work=work
    )
    labels = len(taxonomy.labels)
    write_facts(
        partial,
        taxonomy=taxonomy,
        thresholds=np.full(labels, 0.5),
        calibration=Calibration.identity(labels),
        input_format=config.input.format,
    )
    write_json(partial / TRAINING_CONFIG, describe(config, encoder))
    held_out = clauses(examples, "validation")
    write_json(
        partial / DATA_MANIFEST,
        data_manifest(config, taxonomy, trained=rows, tuned=held_out),
    )
    seal(partial)
    gold = label_matrix([example.labels for example in held_out], taxonomy.labels)
    scores = sigmoid(scorer(partial, held_out, True))
    thresholds = fit_thresholds(gold, scores)
    metrics = compute_metrics(gold, scores, thresholds, taxonomy.labels)
    write_json(
        partial / THRESHOLDS, dict(zip(taxonomy.labels, map(float, thresholds), strict=True))
    )
    write_json(
        partial / METRICS,
        {"split": "validation (thresholds were fitted on it)", **asdict(metrics)},
    )
    seal(partial)
    if out.exists():
        shutil.rmtree(out)
    partial.rename(out)
    shutil.rmtree(work, ignore_errors=True)
    return TrainedRun(folder=out, train_rows=len(rows), validation=metrics, fit=facts)


def _start_or_resume(config: TrainConfig, partial: Path, work: Path) -> None:
    """Keep the checkpoints of an interrupted run of the same configuration, drop any other."""
    mark = work / "fingerprint"
    fingerprint = sha256_bytes(repr(config).encode())
    if not (mark.is_file() and mark.read_text() == fingerprint):
        shutil.rmtree(work, ignore_errors=True)
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    work.mkdir(parents=True, exist_ok=True)
    mark.write_text(fingerprint)


def describe(config: TrainConfig, encoder: Encoder) -> dict[str, object]:
    """The resolved configuration with the encoder's source and digest, and library versions."""
    resolved = replace(config, encoder=replace(config.encoder, sha256=encoder.sha256))
    return {
        "clauselens": __version__,
        "config": resolved.to_dict(),
        "encoder_source": encoder.source,
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def data_manifest(
    config: TrainConfig,
    taxonomy: Taxonomy,
    *,
    trained: Sequence[Example],
    tuned: Sequence[Example],
) -> dict[str, object]:
    """Which rows the model has seen, and how: evaluation refuses them."""
    return {
        "data": config.data,
        "taxonomy": {"name": taxonomy.name, "version": taxonomy.version},
        "rows": [
            {
                "id": example.id,
                "use": use,
                "duplicate_group": example.duplicate_group,
                "text_sha256": sha256_bytes(example.text.encode()),
            }
            for use, part in (("train", trained), ("thresholds", tuned))
            for example in part
        ],
    }
