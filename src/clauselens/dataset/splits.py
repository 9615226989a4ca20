"""Leakage-aware splits: whole documents in test, near-duplicate groups never torn apart."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from clauselens.errors import InputError
from clauselens.records import Example

SPLITS = ("train", "validation", "test", "excluded")


def split_examples(
    examples: Sequence[Example],
    *,
    test_documents: Collection[str],
    validation_fraction: float,
    seed: int,
) -> list[Example]:
    """Assign every row to train, validation, test or excluded; the order is kept.

    Test holds whole documents. Any other row in a duplicate group with a test row is excluded:
    it would show the model what it is tested on. Validation is drawn, by seed, as whole groups
    from the rest until it holds ``validation_fraction`` of it. Raises InputError if a test
    document is not there or nothing is left to train on.
    """
    documents = {example.document_id for example in examples}
    for document in test_documents:
        if document not in documents:
            there = ", ".join(sorted(documents))
            raise InputError(f"test document {document!r} is not in the data (there: {there})")
    tested = {e.duplicate_group for e in examples if e.document_id in test_documents} - {-1}
    split = [
        replace(
            example,
            split="test"
            if example.document_id in test_documents
            else "excluded"
            if example.duplicate_group in tested
            else "train",
        )
        for example in examples
    ]
    return with_validation(split, fraction=validation_fraction, seed=seed)


def with_validation(examples: Sequence[Example], *, fraction: float, seed: int) -> list[Example]:
    """Move whole duplicate groups from train to validation until it holds ``fraction`` of train."""
    if not 0 < fraction < 1:
        raise InputError(f"validation fraction is {fraction}, expected a number between 0 and 1")
    sizes: dict[int, int] = {}
    for example in examples:
        # Headings and boilerplate belong to no group: they stay where they are.
        if example.split == "train" and example.duplicate_group >= 0:
            sizes[example.duplicate_group] = sizes.get(example.duplicate_group, 0) + 1
    wanted = fraction * sum(sizes.values())
    chosen: set[int] = set()
    taken = 0
    for group in np.random.default_rng(seed).permutation(sorted(sizes)):
        if taken + sizes[int(group)] <= wanted:
            chosen.add(int(group))
            taken += sizes[int(group)]
    if not chosen or len(chosen) == len(sizes):
        raise InputError("too few rows to split off a validation part: add rows")
    return [
        replace(example, split="validation")
        if example.split == "train" and example.duplicate_group in chosen
        else example
        for example in examples
    ]
