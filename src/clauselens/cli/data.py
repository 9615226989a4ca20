"""Commands on the corpus, the annotations and the dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

RAW = Path("data/raw")
SENTENCES = Path("data/sentences")
ANNOTATIONS = Path("data/annotations")
TAXONOMY = Path("configs/taxonomy.yaml")

RawOption = Annotated[Path, typer.Option("--raw", help="Folder with sources.yaml.")]
SentencesOption = Annotated[
    Path, typer.Option("--sentences", help="Folder of the frozen sentences.")
]
TaxonomyOption = Annotated[Path, typer.Option("--taxonomy", help="The label set.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to ``app``."""
    corpus = typer.Typer(help="Documents to sentences.", no_args_is_help=True)
    corpus.command("build")(corpus_build)
    corpus.command("score")(corpus_score)
    dataset = typer.Typer(help="Sentences and gold to a dataset.", no_args_is_help=True)
    dataset.command("build")(dataset_build)
    app.add_typer(corpus, name="corpus")
    app.command("agreement")(agreement)
    app.command("carry")(carry)
    app.add_typer(dataset, name="dataset")


def corpus_build(
    raw: RawOption = RAW,
    out: Annotated[Path, typer.Option(help="Where sentences.jsonl goes.")] = SENTENCES,
) -> None:
    """Segment the documents of `sources.yaml` (.txt, .md, .html, .htm, .pdf, .docx) into sentences
    and list items; the texts that were extracted from other formats than .txt go into texts/.

    Annotated sentences are frozen: if the segmentation has changed, nothing is written.
    """
    from clauselens.corpus.build import build_sentences

    built = build_sentences(raw, out)
    kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(built.kinds.items()))
    state = "written" if built.changed else "unchanged"
    print(f"{built.path}: {len(built.sentences)} units ({kinds}), {state}")


def corpus_score(
    marks: Annotated[Path, typer.Argument(help="Hand-marked stretches (JSON Lines).")],
    raw: RawOption = RAW,
) -> None:
    """Score unit boundaries against hand-marked ones, beside the bare segmenter."""
    from clauselens.corpus.boundaries import (
        bare_line_starts,
        bare_starts,
        read_stretches,
        score_boundaries,
        unit_starts,
    )
    from clauselens.corpus.reader import read_corpus

    documents = read_corpus(raw)
    stretches = read_stretches(marks)
    table = Table("system", "found", "marked", "precision", "recall", "F1")
    for name, starts in (
        ("clauselens", unit_starts),
        ("bare segmenter, whole text", bare_starts),
        ("bare segmenter, line by line", bare_line_starts),
    ):
        score = score_boundaries(stretches, {d.id: starts(d) for d in documents})
        table.add_row(
            name,
            str(score.found),
            str(score.marked),
            *(f"{value:.4f}" for value in (score.precision, score.recall, score.f1)),
        )
    Console().print(table)


def agreement(
    annotations: Annotated[
        Path, typer.Option("--annotations", help="Folder of pass_a.jsonl and pass_b.jsonl.")
    ] = ANNOTATIONS,
    raw: RawOption = RAW,
    sentences: SentencesOption = SENTENCES,
    taxonomy: TaxonomyOption = TAXONOMY,
) -> None:
    """Agreement of the two annotation passes, over clauses."""
    from clauselens.annotation.agreement import agreement as compute
    from clauselens.annotation.interchange import read_annotations
    from clauselens.corpus.build import SENTENCES as FILE
    from clauselens.corpus.build import read_sentences
    from clauselens.corpus.reader import read_corpus
    from clauselens.taxonomy import read_taxonomy

    labels = read_taxonomy(taxonomy)
    units = read_sentences(sentences / FILE, read_corpus(raw))
    first, second = (
        read_annotations(annotations / f"{name}.jsonl", sentences=units, taxonomy=labels)
        for name in ("pass_a", "pass_b")
    )
    found = compute(
        first,
        second,
        clause_ids=[unit.id for unit in units if unit.is_clause],
        labels=labels.labels,
    )
    print(f"clauses                      {found.units}")
    print(f"equal label sets             {found.equal} ({found.exact_match:.3f})")
    print(f"alpha (MASI)                 {found.alpha:.3f}")
    print(f"alpha without {found.both_empty:3d} both empty {found.alpha_labelled:.3f}")
    table = Table("label", "pass a", "pass b", "both", "kappa")
    for label in found.labels:
        table.add_row(
            label.label,
            str(label.in_a),
            str(label.in_b),
            str(label.in_both),
            f"{label.kappa:.3f}",
        )
    Console().print(table)


def carry(
    old: Annotated[Path, typer.Argument(help="sentences.jsonl that the gold belongs to.")],
    gold: Annotated[Path, typer.Argument(help="gold.jsonl to carry over.")],
    new: Annotated[Path, typer.Argument(help="sentences.jsonl of the later segmentation.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where the carried gold goes.")],
    raw: RawOption = RAW,
    taxonomy: TaxonomyOption = TAXONOMY,
) -> None:
    """Carry labels to a later segmentation by character span; lists the units to read again."""
    from clauselens.annotation.carry import carry_labels
    from clauselens.annotation.interchange import read_annotations, write_annotations
    from clauselens.corpus.build import read_sentences
    from clauselens.corpus.reader import read_corpus
    from clauselens.taxonomy import read_taxonomy

    labels = read_taxonomy(taxonomy)
    documents = read_corpus(raw)
    before, after = (read_sentences(path, documents) for path in (old, new))
    annotations = read_annotations(gold, sentences=before, taxonomy=labels)
    carried = carry_labels(before, annotations, after, taxonomy=labels)
    write_annotations(out, carried.annotations, note_field="reason")
    for unit in carried.read_again:
        print(unit)
    print(f"{out}: {len(carried.annotations)} clauses, {len(carried.read_again)} to read again")


def dataset_build(
    config: Annotated[Path, typer.Option("--config", help="Inputs, splits and output.")] = Path(
        "configs/dataset.yaml"
    ),
) -> None:
    """Build the dataset: duplicate groups, splits, card, manifest. Same bytes on every run."""
    from collections import Counter

    from clauselens.dataset.build import build_dataset, read_dataset_config

    settings = read_dataset_config(config)
    examples = build_dataset(settings)
    splits = Counter(example.split for example in examples)
    parts = ", ".join(f"{count} {split}" for split, count in splits.items())
    print(f"{settings.out}: {len(examples)} rows ({parts})")
