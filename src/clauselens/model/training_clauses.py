"""The clauses that a model learnt from, with their vectors: what is nearest to a new one.

One Parquet file in the model folder. Vectors are of length 1, stored as float16.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from clauselens.errors import InputError
from clauselens.storage import write_bytes

_CHUNK = 256
"""Rows that are compared with every clause at once."""

_TEXTS = ("id", "text", "document_id", "section", "lead_in")


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingClause:
    """A row that the model was trained on; ``written`` where it comes from no real policy."""

    id: str
    text: str
    labels: tuple[str, ...]
    document_id: str
    section: str
    lead_in: str
    written: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A training clause, and the cosine of its vector to the one that was asked about."""

    clause: TrainingClause
    cosine: float


class TrainingClauses:
    """Clauses with vectors of length 1, ``(clauses, width)``."""

    def __init__(self, clauses: Sequence[TrainingClause], vectors: NDArray[np.float32]) -> None:
        if len(clauses) != len(vectors):
            raise ValueError(f"{len(clauses)} clauses but {len(vectors)} vectors")
        self.clauses = tuple(clauses)
        self._vectors = vectors

    def __len__(self) -> int:
        return len(self.clauses)

    @property
    def width(self) -> int:
        return int(self._vectors.shape[1])

    def nearest(self, vectors: NDArray[np.float32], *, number: int) -> list[tuple[Neighbour, ...]]:
        """The ``number`` nearest clauses of different text for each of ``vectors``,
        ``(n, width)`` of length 1, nearest first.
        """
        found: list[tuple[Neighbour, ...]] = []
        for start in range(0, len(vectors), _CHUNK):
            products = vectors[start : start + _CHUNK] @ self._vectors.T
            # Rounded, lest the order of equal clauses hang on the last bit of a sum; once, since
            # float32 and float64 do not round every number to the same fourth place.
            cosines = np.minimum(1.0, products.astype(np.float64).round(4))
            ranked = np.argsort(-cosines, axis=1, kind="stable")
            found += [
                self._distinct(order, row, number)
                for order, row in zip(ranked, cosines, strict=True)
            ]
        return found

    def _distinct(
        self, order: NDArray[np.int64], cosines: NDArray[np.float64], number: int
    ) -> tuple[Neighbour, ...]:
        chosen: dict[str, Neighbour] = {}
        for place in order.tolist():
            if len(chosen) == number:
                break
            clause = self.clauses[place]
            neighbour = Neighbour(clause=clause, cosine=float(cosines[place]))
            chosen.setdefault(clause.text, neighbour)
        return tuple(chosen.values())


def write_training_clauses(
    path: Path, clauses: Sequence[TrainingClause], vectors: NDArray[np.float32]
) -> None:
    """Write ``clauses`` and their vectors, ``(clauses, width)`` of length 1."""
    half = pa.array(vectors.astype(np.float16).ravel())
    columns: dict[str, pa.Array] = {
        name: pa.array([getattr(clause, name) for clause in clauses], pa.string())
        for name in _TEXTS
    }
    columns["labels"] = pa.array([list(c.labels) for c in clauses], pa.list_(pa.string()))
    columns["written"] = pa.array([c.written for c in clauses], pa.bool_())
    columns["vector"] = pa.FixedSizeListArray.from_arrays(half, vectors.shape[1])
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd")
    write_bytes(path, buffer.getvalue())


def read_training_clauses(path: Path) -> TrainingClauses:
    """Read what ``write_training_clauses`` wrote. Raises InputError if it is another file."""
    try:
        table = pq.read_table(path)
        vectors = table.column("vector").combine_chunks()
        width = vectors.type.list_size
        columns = [table.column(name).to_pylist() for name in (*_TEXTS, "labels", "written")]
    except (pa.ArrowInvalid, KeyError, AttributeError) as error:
        raise InputError(f"{path}: not a file of training clauses: {error}") from None
    clauses = [
        TrainingClause(
            id=id_,
            text=text,
            document_id=document,
            section=section,
            lead_in=lead_in,
            labels=tuple(labels),
            written=written,
        )
        for id_, text, document, section, lead_in, labels, written in zip(*columns, strict=True)
    ]
    flat = vectors.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
    return TrainingClauses(clauses, flat.reshape(len(clauses), width))
