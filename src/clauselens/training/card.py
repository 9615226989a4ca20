"""The model card, from the artefacts of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from clauselens.evaluation.mistakes import Mistake, mistakes_list
from clauselens.evaluation.scaling import Scaling
from clauselens.records import Example
from clauselens.taxonomy import Taxonomy
from clauselens.training.config import TrainConfig
from clauselens.training.encoders import Encoder


def render_card(
    config: TrainConfig,
    *,
    name: str,
    taxonomy: Taxonomy,
    encoder: Encoder,
    seen: Mapping[str, Sequence[Example]],
    scaling: Scaling,
    thresholds: NDArray[np.float64],
    metrics: Mapping[str, Any],
    table: str,
    failures: Sequence[Mistake],
) -> str:
    """Render ``README.md`` of a model folder in Hugging Face form."""
    header = yaml.safe_dump(
        {
            "library_name": "transformers",
            "pipeline_tag": "text-classification",
            "base_model": encoder.name,
            "tags": ["clauselens", "multi-label-classification", "privacy-policy"],
        },
        sort_keys=False,
    )
    used = "; ".join(
        f"{use}: {len(rows)} rows{_documents(rows)}" for use, rows in seen.items() if rows
    )
    cuts = "\n".join(
        f"| `{label}` | {cut:.3f} | {slope:.3f} | {offset:+.3f} |"
        for label, cut, slope, offset in zip(
            taxonomy.labels, thresholds, scaling.slope, scaling.offset, strict=True
        )
    )
    parts = (
        "section, lead-in and the clause before" if config.input.previous else "section, lead-in"
    )
    context = f"with its context ({parts})" if config.input.context else "without context"
    beside = f"beside written ones ({config.replay:g} for each)" if config.replay else "alone"
    stages = (
        f"in two stages, the written rows first and then the others {beside}"
        if config.pretraining
        else "in one stage"
    )
    if config.relabelling:
        stages += (
            "; a model fitted on the annotated rows alone has half a say in the targets of the "
            "written ones"
        )
    hardened = (
        f", in the last stage adversarial (word embeddings moved by {config.loss.adversarial:g})"
        if config.loss.adversarial
        else ""
    )
    return f"""---
{header}---

# {name}

Multi-label classifier of clauses: {encoder.name}, fine-tuned by clauselens for the
{len(taxonomy.labels)} categories of the taxonomy `{taxonomy.name}` (version {taxonomy.version}).
Input: one sentence or list item {context}, at most {config.input.max_length} tokens a window.

## Data

`{config.data}`. Rows by use: {used}.
`data_manifest.json` names every row; `clauselens evaluate` refuses them.

## Scores

{table or _summary(metrics)}

## Where it fails

The worst errors on the rows of these scores: the labels of the dataset, then those that were given.

{mistakes_list(failures) or "None."}

## Recipe

Encoder {encoder.name} (from {encoder.source}, sha256 `{encoder.sha256[:16]}…`), trained
{stages}; loss {config.loss.name}{hardened}; seed {config.seed}; all settings in
`training_config.json`.

## Thresholds and calibration

Calibration `{scaling.method}`: probability = sigmoid(slope x logit + offset). A label is given
where the probability is at or above its threshold. Plain `transformers` pipelines know neither.

| label | threshold | slope | offset |
|---|---:|---:|---:|
{cuts}

## Intended use and limits

For reading privacy policies in bulk: finding and sorting clauses, comparing policies, preparing
human review. It gives no legal advice and does not say whether a practice is lawful or a policy
complete. It was trained on few documents of one kind; expect less on policies of another style,
another country or machine-translated from another language, on labels with few training clauses,
and on bare sentences whose meaning hangs on their list. The labels it learnt were given by
language models and adjudicated by one (see the dataset card).
"""


def _documents(rows: Sequence[Example]) -> str:
    names = dict.fromkeys(row.document_id for row in rows if row.document_id)
    return f" ({', '.join(names)})" if names else ""


def _summary(metrics: Mapping[str, Any]) -> str:
    return (
        f"{metrics['protocol']}: micro-F1 {metrics['micro_f1']:.3f}, macro-F1 "
        f"{metrics['macro_f1']:.3f} over {metrics['macro_labels']} labels, {metrics['rows']} rows. "
        "This is no estimate for unseen policies; `clauselens evaluate` and `clauselens crossval` "
        "give one."
    )
