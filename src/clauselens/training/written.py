"""Written examples: extra training rows that are never scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clauselens.dataset.duplicates import THRESHOLD, character_tfidf
from clauselens.dataset.rows import read_ungrouped
from clauselens.model.encoding import InputFormat
from clauselens.records import Example
from clauselens.taxonomy import Taxonomy
from clauselens.training.baselines import embed
from clauselens.training.config import EncoderConfig
from clauselens.training.encoders import EMBEDDED, resolve_encoder

TOO_ALIKE = 0.8
"""Cosine of encoder vectors from which a written row is too like a scored one."""


def read_written(
    path: str, *, taxonomy: Taxonomy, apart_from: Sequence[Example] = ()
) -> list[Example]:
    """The rows of a file that may teach where ``apart_from`` is scored; none for an empty path.

    Left out are rows too like one of these, bare sentences compared: with a cosine of 0.8 or more
    between vectors of all-MiniLM-L6-v2 as it was pretrained, whatever is trained, or with a
    character TF-IDF cosine of 0.6 or more, at which the dataset calls rows near-duplicates.
    """
    if not path:
        return []
    # Groups are numbered within a dataset: those of this file mean nothing beside others.
    rows = [
        replace(row, duplicate_group=-1) for row in read_ungrouped(Path(path), taxonomy=taxonomy)
    ]
    if not apart_from:
        return rows
    meanings = _embed([*rows, *apart_from])
    letters = character_tfidf([row.text for row in (*rows, *apart_from)])
    nearest = (meanings[: len(rows)] @ meanings[len(rows) :].T).max(1)
    closest = (letters[: len(rows)] @ letters[len(rows) :].T).max(axis=1).toarray().ravel()
    # A hair below the threshold, so that rounding does not part equal texts.
    apart = (nearest < TOO_ALIKE) & (closest < THRESHOLD - 1e-9)
    return [row for row, keep in zip(rows, apart, strict=True) if keep]


def _embed(rows: Sequence[Example]) -> NDArray[np.float32]:
    (name,) = EMBEDDED
    encoder = resolve_encoder(EncoderConfig(name=name))
    bare = [replace(row, section="", lead_in="", previous="") for row in rows]
    vectors = embed(encoder.folder, bare, InputFormat())
    unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return unit
