"""Privacy-policy clause classifier: annotate, train, evaluate, predict in bulk."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from clauselens.inference.classifier import ClauseClassifier
    from clauselens.records import Context, Prediction

__all__ = ["ClauseClassifier", "Context", "Prediction"]

_HOME = {
    "ClauseClassifier": "clauselens.inference.classifier",
    "Context": "clauselens.records",
    "Prediction": "clauselens.records",
}


def __getattr__(name: str) -> Any:
    # Resolved on first use, so that importing the package costs next to nothing.
    if name in _HOME:
        return getattr(import_module(_HOME[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
