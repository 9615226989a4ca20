"""How training asks for the scores of a model that it made: inference's classifier, handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clauselens.evaluation.scaling import Scaling
from clauselens.model.encoding import InputFormat
from clauselens.model.folder import seal, write_facts
from clauselens.records import Example
from clauselens.taxonomy import Taxonomy

Scorer = Callable[[Path, Sequence[Example], bool], NDArray[np.float64]]
"""``scorer(folder, examples, with_context)`` loads a model folder and gives logits
``(n, labels)``: inference's classifier, handed in by the command, so that what is measured is what
ships."""


def seal_unfitted(folder: Path, *, taxonomy: Taxonomy, input_format: InputFormat) -> None:
    """Make a folder with a network loadable: no calibration, every cut-off at 0.5."""
    labels = len(taxonomy.labels)
    write_facts(
        folder,
        taxonomy=taxonomy,
        thresholds=np.full(labels, 0.5),
        scaling=Scaling.identity(labels),
        input_format=input_format,
    )
    seal(folder)
