"""Written examples: extra training rows that are never scored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clauselens.dataset.rows import read_examples
from clauselens.model.encoding import InputFormat
from clauselens.records import Example
from clauselens.taxonomy import Taxonomy
from clauselens.training.baselines import embed
from clauselens.training.encoders import Encoder

TOO_ALIKE = 0.8
"""Cosine of encoder vectors from which a written row is too like a held-out one."""


class WrittenExamples:
    """The rows of a file, and which of them may teach when certain rows are held out."""

    def __init__(
        self, path: str, *, taxonomy: Taxonomy, encoder: Encoder, input_format: InputFormat
    ) -> None:
        rows = read_examples(Path(path), taxonomy=taxonomy) if path else []
        # Groups are numbered within a dataset: those of this file mean nothing beside others.
        self.rows = [replace(row, duplicate_group=-1) for row in rows]
        self._encoder = encoder
        self._format = input_format
        self._vectors = self._embed(self.rows) if self.rows else None

    def apart_from(self, held_out: Sequence[Example]) -> list[Example]:
        """The rows whose cosine to every held-out row is below 0.8, bare sentences compared."""
        if self._vectors is None or not held_out:
            return self.rows
        nearest = (self._vectors @ self._embed(held_out).T).max(1)
        return [row for row, cosine in zip(self.rows, nearest, strict=True) if cosine < TOO_ALIKE]

    def _embed(self, rows: Sequence[Example]) -> NDArray[np.float32]:
        bare = [replace(row, section="", lead_in="", previous="") for row in rows]
        vectors = embed(self._encoder.folder, bare, self._format)
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit
