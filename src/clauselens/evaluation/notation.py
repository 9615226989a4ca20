"""How reports write figures, and what they call them."""

from __future__ import annotations

from clauselens.evaluation.bootstrap import Interval

OVERALL_TITLES = {
    "micro_f1": "micro-F1",
    "macro_f1": "macro-F1",
    "exact_match": "exact match",
    "macro_f1_all": "macro-F1 over all labels that occur",
    "weighted_f1": "weighted F1",
    "hamming_loss": "Hamming loss",
    "ranking_average_precision": "label-ranking average precision",
}
LABEL_TITLES = {
    "f1": "F1",
    "average_precision": "average precision",
    "brier_skill": "Brier skill over prior",
    "calibration_error": "calibration error",
}
UNDEFINED = "–"


def number(value: float) -> str:
    """Three decimals; a dash for a figure that is not defined."""
    return UNDEFINED if value != value else f"{value:.3f}"


def bounds(value: Interval) -> str:
    """The interval in brackets; nothing where the figure is not defined."""
    return "" if value.value != value.value else f"[{number(value.low)}, {number(value.high)}]"


def ranged(value: Interval) -> str:
    """A figure with its interval."""
    return f"{number(value.value)} {bounds(value)}".rstrip()


def signed(value: float) -> str:
    """A difference, always with its sign."""
    return UNDEFINED if value != value else f"{value:+.3f}"


def signed_bounds(value: Interval) -> str:
    """The interval of a difference; nothing where it is not defined."""
    return "" if value.value != value.value else f"[{signed(value.low)}, {signed(value.high)}]"


def signed_range(value: Interval) -> str:
    """A difference with its interval."""
    return f"{signed(value.value)} {signed_bounds(value)}".rstrip()
