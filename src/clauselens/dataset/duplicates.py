"""Near-duplicates by exact pairwise similarity of character n-grams."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components
from sklearn.feature_extraction.text import TfidfVectorizer

THRESHOLD = 0.6
"""Cosine similarity at or above which two rows are near-duplicates."""

_BLOCK = 1024


def character_tfidf(texts: Sequence[str]) -> csr_matrix:
    """Rows of unit length, ``(n, n_ngrams)``: TF-IDF of character 3- to 5-grams inside words."""
    vectorizer = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), dtype=np.float64)
    return vectorizer.fit_transform(texts)


def near_duplicate_pairs(
    vectors: csr_matrix, *, threshold: float = THRESHOLD
) -> list[tuple[int, int, float]]:
    """Every pair ``(i, j, cosine)`` with ``i < j`` and cosine at or above ``threshold``.

    Exact: all pairs are compared, a block of rows at a time.
    """
    pairs: list[tuple[int, int, float]] = []
    for start in range(0, vectors.shape[0], _BLOCK):
        similarity = (vectors[start : start + _BLOCK] @ vectors.T).tocoo()
        rows = similarity.row + start
        # A hair below the threshold, so that rounding does not part equal texts.
        near = (similarity.data >= threshold - 1e-9) & (rows < similarity.col)
        pairs += [
            (int(i), int(j), float(cosine))
            for i, j, cosine in zip(
                rows[near], similarity.col[near], similarity.data[near], strict=True
            )
        ]
    return sorted(pairs)


def duplicate_groups(texts: Sequence[str], *, threshold: float = THRESHOLD) -> NDArray[np.int64]:
    """The group index of each text: rows linked by a chain of near-duplicate pairs share one.

    Groups are numbered in the order of their first row. Returns shape ``(n,)``.
    """
    if not texts:
        return np.zeros(0, dtype=np.int64)
    if not any(text.strip() for text in texts):
        return np.zeros(len(texts), dtype=np.int64)
    pairs = near_duplicate_pairs(character_tfidf(texts), threshold=threshold)
    count = len(texts)
    links = csr_matrix(
        (np.ones(len(pairs)), ([i for i, _, _ in pairs], [j for _, j, _ in pairs])),
        shape=(count, count),
    )
    _, component = connected_components(links, directed=False)
    first_seen: dict[int, int] = {}
    return np.array(
        [first_seen.setdefault(int(index), len(first_seen)) for index in component],
        dtype=np.int64,
    )
