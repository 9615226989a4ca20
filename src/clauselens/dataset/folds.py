"""Leave-one-policy-out folds, with the near-duplicates of held-out rows removed from training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from clauselens.dataset.duplicates import THRESHOLD, character_tfidf
from clauselens.errors import InputError
from clauselens.records import Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Indices into the examples; ``purged`` were taken from training for being too alike."""

    document: str
    train: tuple[int, ...]
    held_out: tuple[int, ...]
    purged: tuple[int, ...]


def group_folds(examples: Sequence[Example], *, number: int, seed: int) -> list[Fold]:
    """``number`` folds of like size that tear no duplicate group apart, drawn by seed.

    Raises InputError if there are fewer groups than folds.
    """
    groups = np.array([example.duplicate_group for example in examples])
    unique = np.random.default_rng(seed).permutation(np.unique(groups))
    if len(unique) < number:
        raise InputError(f"{len(unique)} groups of rows are too few for {number} folds")
    parts = [np.isin(groups, part) for part in np.array_split(unique, number)]
    return [
        Fold(
            document=f"part-{index}",
            train=tuple(np.flatnonzero(~held_out).tolist()),
            held_out=tuple(np.flatnonzero(held_out).tolist()),
            purged=(),
        )
        for index, held_out in enumerate(parts)
    ]


def leave_one_document_out(
    examples: Sequence[Example], *, purge: float | None = THRESHOLD
) -> list[Fold]:
    """One fold a document, in the order of the examples.

    Training rows whose character TF-IDF cosine to any held-out row is ``purge`` or more are
    removed; None removes nothing. Raises InputError with fewer than two documents.
    """
    documents = list(dict.fromkeys(example.document_id for example in examples))
    if len(documents) < 2 or "" in documents:
        raise InputError("leave-one-document-out needs a document_id in every row, and two of them")
    of = np.array([documents.index(example.document_id) for example in examples])
    vectors = character_tfidf([example.text for example in examples])
    folds = []
    for index, document in enumerate(documents):
        held_out = np.flatnonzero(of == index)
        others = np.flatnonzero(of != index)
        nearest = (vectors[others] @ vectors[held_out].T).max(axis=1).toarray().ravel()
        near = nearest >= purge - 1e-9 if purge is not None else np.zeros(len(others), dtype=bool)
        folds.append(
            Fold(
                document=document,
                train=tuple(others[~near].tolist()),
                held_out=tuple(held_out.tolist()),
                purged=tuple(others[near].tolist()),
            )
        )
    return folds


def fewer_rows(
    fold: Fold, examples: Sequence[Example], *, documents: int, share: float, seed: int
) -> Fold:
    """The fold with less to learn from: ``documents`` whole ones, and of their rows the ``share``.

    They are the documents that follow the held-out one in a circle, so that over the folds each
    teaches equally often; the rows are drawn by ``seed``, and a smaller share is part of a larger
    one.
    """
    names = list(dict.fromkeys(example.document_id for example in examples))
    place = names.index(fold.document)
    chosen = {names[(place + step) % len(names)] for step in range(1, documents + 1)}
    train = [index for index in fold.train if examples[index].document_id in chosen]
    order = np.random.default_rng((seed, place)).permutation(train)
    drawn = order[: round(share * len(train))]
    return replace(fold, train=tuple(sorted(drawn.tolist())))
