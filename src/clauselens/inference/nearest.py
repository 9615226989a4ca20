"""The training clauses that lie nearest to a text, in the network's own terms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from clauselens.inference.classifier import ClauseClassifier
from clauselens.model.folder import TRAINING_CLAUSES
from clauselens.model.training_clauses import TrainingClauses, read_training_clauses
from clauselens.records import Context


def text_vectors(
    classifier: ClauseClassifier,
    texts: Sequence[str],
    contexts: Sequence[Context | None] | None = None,
) -> NDArray[np.float32]:
    """Vectors of length 1, ``(n, width)``; of a text in several windows, their mean.

    The engine must have vectors: ``classifier.engine.width`` above 0.
    """
    encoded = classifier.encode(texts, contexts)
    unique = sorted(
        dict.fromkeys(window for row in encoded for window in row),
        key=lambda window: -len(window.ids),
    )
    place = {window: index for index, window in enumerate(unique)}
    outputs = classifier.engine.vectors(unique)
    found = np.empty((len(encoded), classifier.engine.width), dtype=np.float32)
    for row, windows in enumerate(encoded):
        found[row] = outputs[[place[window] for window in windows]].mean(0)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    unit: NDArray[np.float32] = found / np.maximum(lengths, np.finfo(np.float32).tiny)
    return unit


def training_clauses(classifier: ClauseClassifier) -> TrainingClauses | None:
    """The training clauses of the model folder; None where it, or its graph, has no vectors."""
    path = classifier.folder / TRAINING_CLAUSES
    if not classifier.engine.width or not path.is_file():
        return None
    stored = read_training_clauses(path)
    return stored if stored.width == classifier.engine.width else None
