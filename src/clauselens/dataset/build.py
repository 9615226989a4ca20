"""Builds ``data/dataset`` from sentences and gold: deterministic, manifest written last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from clauselens.annotation.agreement import agreement
from clauselens.annotation.interchange import read_annotations
from clauselens.corpus.build import SENTENCES, read_sentences
from clauselens.corpus.reader import SOURCES, read_corpus
from clauselens.dataset.card import CardFacts, render_card
from clauselens.dataset.duplicates import THRESHOLD
from clauselens.dataset.rows import to_row, with_groups
from clauselens.dataset.splits import SPLITS, split_examples
from clauselens.errors import InputError
from clauselens.records import Annotation, Example, Sentence, contexts
from clauselens.storage import MANIFEST, read_yaml, write_jsonl, write_manifest, write_text
from clauselens.taxonomy import nearest, read_taxonomy

CARD = "README.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetConfig:
    """The keys of ``configs/dataset.yaml``; paths are relative to the working directory."""

    raw: Path
    sentences: Path
    annotations: Path
    taxonomy: Path
    out: Path
    test_documents: tuple[str, ...]
    validation_fraction: float
    seed: int


def read_dataset_config(path: Path) -> DatasetConfig:
    """Read the YAML file; every key is needed. Raises InputError with the nearest valid key."""
    data = read_yaml(path)
    known = [field.name for field in fields(DatasetConfig)]
    if not isinstance(data, dict):
        raise InputError(f"{path}: expected a mapping with the keys {', '.join(known)}")
    for key in data:
        if key not in known:
            raise InputError(f"{path}: unknown key {key!r}{nearest(str(key), known)}")
    for key in known:
        if key not in data:
            raise InputError(f"{path}: no key {key!r}")
    try:
        return DatasetConfig(
            **{
                key: Path(data[key])
                for key in ("raw", "sentences", "annotations", "taxonomy", "out")
            },
            test_documents=tuple(str(document) for document in data["test_documents"]),
            validation_fraction=float(data["validation_fraction"]),
            seed=int(data["seed"]),
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"{path}: {error}") from None


def build_dataset(config: DatasetConfig) -> list[Example]:
    """Write the dataset's four splits, its card and its manifest into ``config.out``.

    Returns the rows, in document order. Equal inputs give equal bytes. Raises InputError.
    """
    taxonomy = read_taxonomy(config.taxonomy)
    documents = read_corpus(config.raw)
    sentence_file = config.sentences / SENTENCES
    sentences = read_sentences(sentence_file, documents)
    files = {name: config.annotations / f"{name}.jsonl" for name in ("pass_a", "pass_b", "gold")}
    passes = {
        name: read_annotations(file, sentences=sentences, taxonomy=taxonomy)
        for name, file in files.items()
    }
    examples = split_examples(
        with_groups(_examples(sentences, passes["gold"])),
        test_documents=config.test_documents,
        validation_fraction=config.validation_fraction,
        seed=config.seed,
    )
    (config.out / MANIFEST).unlink(missing_ok=True)
    for split in SPLITS:
        write_jsonl(
            config.out / f"{split}.jsonl",
            (to_row(example) for example in examples if example.split == split),
        )
    facts = CardFacts(
        documents=tuple(documents),
        examples=tuple(examples),
        taxonomy=taxonomy,
        agreement=agreement(
            passes["pass_a"],
            passes["pass_b"],
            clause_ids=[sentence.id for sentence in sentences if sentence.is_clause],
            labels=taxonomy.labels,
        ),
        readers=", ".join(
            sorted({a.annotator for name in ("pass_a", "pass_b") for a in passes[name].values()})
        ),
        adjudicated=sum(bool(annotation.note) for annotation in passes["gold"].values()),
        config=config_facts(config),
    )
    write_text(config.out / CARD, render_card(facts))
    write_manifest(
        config.out,
        inputs=[
            config.raw / SOURCES,
            *(config.raw / document.source for document in documents),
            sentence_file,
            *files.values(),
            config.taxonomy,
        ],
        counts={split: sum(e.split == split for e in examples) for split in SPLITS},
    )
    return examples


def config_facts(config: DatasetConfig) -> Mapping[str, str]:
    return {
        "test documents": ", ".join(config.test_documents),
        "validation fraction": f"{config.validation_fraction:g}",
        "seed": str(config.seed),
        "near-duplicate threshold": f"{THRESHOLD:g}",
    }


def _examples(sentences: Sequence[Sentence], gold: Mapping[str, Annotation]) -> list[Example]:
    return [
        Example(
            id=sentence.id,
            document_id=sentence.document_id,
            start=sentence.start,
            end=sentence.end,
            text=sentence.text,
            kind=sentence.kind,
            section=context.section,
            lead_in=context.lead_in,
            previous=context.previous,
            labels=gold[sentence.id].labels if sentence.is_clause else (),
        )
        for sentence, context in zip(sentences, contexts(sentences), strict=True)
    ]
