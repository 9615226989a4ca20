"""Agreement between two annotation passes over the same clauses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from nltk.metrics import masi_distance
from nltk.metrics.agreement import AnnotationTask

from clauselens.records import Annotation

EMPTY = "(none)"
"""Stands for the empty label set: MASI is undefined between two empty sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelAgreement:
    """Counts of one label in two passes; kappa is Cohen's, in [-1, 1]."""

    label: str
    in_a: int
    in_b: int
    in_both: int
    kappa: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """Agreement over ``units`` clauses.

    ``alpha`` is Krippendorff's alpha with MASI distance (Passonneau 2006), with the empty set
    as a symbol of its own; ``alpha_labelled`` leaves out the units that both passes left empty.
    """

    units: int
    equal: int
    both_empty: int
    alpha: float
    alpha_labelled: float
    labels: tuple[LabelAgreement, ...]

    @property
    def exact_match(self) -> float:
        return self.equal / self.units if self.units else 0.0


def agreement(
    first: Mapping[str, Annotation],
    second: Mapping[str, Annotation],
    *,
    clause_ids: Sequence[str],
    labels: Sequence[str],
) -> Agreement:
    """Compare two passes over the clauses ``clause_ids``, which both must hold."""
    pairs = [(set(first[unit].labels), set(second[unit].labels)) for unit in clause_ids]
    labelled = [unit for unit, (a, b) in zip(clause_ids, pairs, strict=True) if a or b]
    return Agreement(
        units=len(pairs),
        equal=sum(a == b for a, b in pairs),
        both_empty=len(pairs) - len(labelled),
        alpha=_masi_alpha(first, second, clause_ids),
        alpha_labelled=_masi_alpha(first, second, labelled),
        labels=tuple(_label_agreement(label, pairs) for label in labels),
    )


def _masi_alpha(
    first: Mapping[str, Annotation], second: Mapping[str, Annotation], units: Sequence[str]
) -> float:
    data = [
        (coder, unit, frozenset(annotations[unit].labels or (EMPTY,)))
        for coder, annotations in (("a", first), ("b", second))
        for unit in units
    ]
    if len({labels for _, _, labels in data}) < 2:
        return float("nan")
    return float(AnnotationTask(data, distance=masi_distance).alpha())


def _label_agreement(label: str, pairs: Sequence[tuple[set[str], set[str]]]) -> LabelAgreement:
    a = np.array([label in first for first, _ in pairs])
    b = np.array([label in second for _, second in pairs])
    observed = float((a == b).mean())
    expected = float(a.mean() * b.mean() + (1 - a.mean()) * (1 - b.mean()))
    # Where neither pass used the label there is nothing to agree on.
    kappa = (observed - expected) / (1 - expected) if expected < 1 else float("nan")
    return LabelAgreement(
        label=label,
        in_a=int(a.sum()),
        in_b=int(b.sum()),
        in_both=int((a & b).sum()),
        kappa=kappa,
    )
