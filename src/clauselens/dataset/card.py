"""The dataset card, in Hugging Face form, from the dataset itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import yaml

from clauselens.annotation.agreement import Agreement
from clauselens.dataset.rows import COLUMNS
from clauselens.dataset.splits import SPLITS
from clauselens.records import CLAUSE_KINDS, Document, Example
from clauselens.taxonomy import Taxonomy

LARGEST_GROUPS = 6
COOCCURRENCES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class CardFacts:
    """All that the card tells; nothing in it is typed by hand."""

    documents: tuple[Document, ...]
    examples: tuple[Example, ...]
    taxonomy: Taxonomy
    agreement: Agreement
    readers: str
    adjudicated: int
    config: Mapping[str, str]


def render_card(facts: CardFacts) -> str:
    """Render ``README.md`` with the metadata that ``datasets.load_dataset`` reads."""
    clauses = [example for example in facts.examples if example.kind in CLAUSE_KINDS]
    sections = [
        "---\n" + yaml.safe_dump(_metadata(facts), sort_keys=False, allow_unicode=True) + "---",
        _introduction(facts, clauses),
        _splits(facts, clauses),
        _labels(facts, clauses),
        _annotation(facts),
        _duplicates(facts, clauses),
        _weaknesses(),
    ]
    return "\n\n".join(section.strip() for section in sections) + "\n"


def _metadata(facts: CardFacts) -> dict[str, Any]:
    text: list[dict[str, Any]] = [
        {"name": name, "dtype": "string"}
        for name in ("id", "document_id", "text", "kind", "section", "lead_in", "previous", "split")
    ]
    whole = [{"name": name, "dtype": "int64"} for name in ("start", "end", "duplicate_group")]
    labels = {
        "name": "labels",
        "list": {
            "class_label": {
                "names": {str(index): label for index, label in enumerate(facts.taxonomy.labels)}
            }
        },
    }
    by_name = {feature["name"]: feature for feature in [*text, *whole, labels]}
    return {
        "license": "other",
        "license_name": "policy-texts-belong-to-their-companies",
        "language": sorted({document.language for document in facts.documents}),
        "pretty_name": "clauselens: privacy-policy clauses",
        "size_categories": ["n<1K"],
        "task_categories": ["text-classification"],
        "task_ids": ["multi-label-classification"],
        "annotations_creators": ["machine-generated"],
        "dataset_info": {"features": [by_name[column] for column in COLUMNS]},
        "configs": [
            {
                "config_name": "default",
                "data_files": [{"split": split, "path": f"{split}.jsonl"} for split in SPLITS],
            }
        ],
    }


def _introduction(facts: CardFacts, clauses: Sequence[Example]) -> str:
    rows = "\n".join(
        f"| {d.id} | {d.title} | {sum(e.document_id == d.id for e in clauses)} "
        f"| {sum(e.document_id == d.id for e in facts.examples)} |"
        for d in facts.documents
    )
    return f"""
# Privacy-policy clauses

{len(clauses)} sentences and list items of {len(facts.documents)} privacy policies, each labelled
with every one of {len(facts.taxonomy.labels)} clause categories that it states, or none. Headings
and boilerplate ({len(facts.examples) - len(clauses)} rows) are there for their context; they
carry no labels and are not scored. A row's `section` (heading path), `lead_in` (the sentence that
introduces its list) and `previous` (the clause before it, if no heading stands between) are part
of the input: the labels were given with them in view.

| document | title | clauses | rows |
|---|---|---:|---:|
{rows}

`start` and `end` are character offsets in the policy's text: `text[start:end]` is the row's text.

**Ownership.** The texts belong to the companies that published them (`data/NOTICE.md`); the
licence of the code does not cover them. The labels come under the code's licence (Apache-2.0).
"""


def _splits(facts: CardFacts, clauses: Sequence[Example]) -> str:
    rows = "\n".join(
        f"| {split} | {sum(e.split == split for e in clauses)} "
        f"| {', '.join(sorted({e.document_id for e in clauses if e.split == split}))} |"
        for split in SPLITS
    )
    settings = "; ".join(f"{key} {value}" for key, value in facts.config.items())
    return f"""
## Splits

| split | clauses | documents |
|---|---:|---|
{rows}

Test holds whole documents. Validation is drawn as whole near-duplicate groups. `excluded` holds
the rows that share a near-duplicate group with a test row: training on them would leak. The
leave-one-policy-out folds follow from `document_id`. Settings: {settings}.
"""


def _labels(facts: CardFacts, clauses: Sequence[Example]) -> str:
    total = Counter(label for example in clauses for label in example.labels)
    by_split = Counter((label, e.split) for e in clauses for label in e.labels)
    rows = "\n".join(
        f"| `{label}` | {total[label]} | "
        + " | ".join(str(by_split[label, split]) for split in SPLITS)
        + " |"
        for label in facts.taxonomy.labels
    )
    sizes = Counter(len(example.labels) for example in clauses)
    counts = ", ".join(f"{sizes[size]} with {size or 'none'}" for size in sorted(sizes))
    pairs = Counter(
        pair for example in clauses for pair in combinations(example.labels, 2)
    ).most_common(COOCCURRENCES)
    together = "\n".join(f"| `{a}` | `{b}` | {count} |" for (a, b), count in pairs)
    return f"""
## Labels

Clauses by number of labels: {counts}.

| label | clauses | {" | ".join(SPLITS)} |
|---|---:|{"---:|" * len(SPLITS)}
{rows}

The most frequent pairs in one clause:

| label | label | clauses |
|---|---|---:|
{together}
"""


def _annotation(facts: CardFacts) -> str:
    found = facts.agreement
    rows = "\n".join(
        f"| `{label.label}` | {label.in_a} | {label.in_b} | {label.in_both} | {label.kappa:.3f} |"
        for label in found.labels
    )
    return f"""
## Annotation

The standard is `data/annotations/CODEBOOK.md`. **The annotators were language models**, not
people: two passes over every clause, each by fresh readers that had the codebook and the
sentences and saw nothing of the other pass, some forty units at a time, each pass in another
order of documents (`annotator` names the reader: {facts.readers}); then every
difference was adjudicated with its reason (`gold.jsonl`) by a language model as well, and gaps
that reading had shown were closed by rulings (`RULINGS.md`). No keyword rule, script or
classifier proposed a label. Readers of one model family share their habits: **the agreement
below is not that of independent people**, and is an upper bound on it.

Over {found.units} clauses: equal label sets {found.exact_match:.3f} ({found.units - found.equal}
differ, {facts.adjudicated} adjudicated); Krippendorff's alpha with MASI distance
{found.alpha:.3f}, and {found.alpha_labelled:.3f} without the {found.both_empty} clauses that
both passes left empty. Per label, clauses in each pass and in both, and Cohen's kappa:

| label | pass a | pass b | both | kappa |
|---|---:|---:|---:|---:|
{rows}
"""


def _duplicates(facts: CardFacts, clauses: Sequence[Example]) -> str:
    groups: dict[int, list[Example]] = {}
    for example in clauses:
        groups.setdefault(example.duplicate_group, []).append(example)
    shared = sorted(
        (group for group in groups.values() if len(group) > 1),
        key=lambda group: (-len(group), group[0].duplicate_group),
    )
    listed = "\n".join(
        f"- {len(group)} rows ({', '.join(sorted({e.document_id for e in group}))}): "
        f"{group[0].text[:140]}{'…' if len(group[0].text) > 140 else ''}"
        for group in shared[:LARGEST_GROUPS]
    )
    return f"""
## Near-duplicates

Character TF-IDF (3- to 5-grams inside words), exact pairwise cosine ≥
{facts.config["near-duplicate threshold"]}, groups closed under chains:
{sum(len(group) for group in shared)} clauses stand in {len(shared)} groups. The largest:

{listed}
"""


def _weaknesses() -> str:
    return """
## Known weaknesses

- Five policies of five Chinese technology companies, in English, partly machine-translated: what
  a model learns here may not carry to other kinds of policy.
- One policy was modelled on another, mostly in paraphrase that similarity of characters does not
  find. Scores across them flatter.
- Rare categories have too few clauses for a score of their own; see the table above.
- The same words may carry other labels in another list (the codebook's ruling 29): without
  `section` and `lead_in` such rows cannot be told apart.
- The segmentation rules were written with these five policies at hand.
"""
