"""The multi-label metric as an ``evaluate.Metric``, without a hub.

``evaluate.load`` needs the hub and ``import evaluate`` loads torch, so this module is imported
only where a metric object is wanted.
"""

from __future__ import annotations

from typing import Any

import datasets
import evaluate
import numpy as np

from clauselens.evaluation.metrics import compute_metrics

NAMES = ("micro_f1", "macro_f1", "exact_match")


class MultiLabelF1(evaluate.Metric):  # type: ignore[misc]
    """Micro-F1, macro-F1 and exact match of label indicators, by ``evaluation.metrics``.

    ``predictions`` and ``references`` are rows of 0 and 1, one column a label; ``min_support``
    is the number of positives from which a label enters the macro average.
    """

    def _info(self) -> evaluate.MetricInfo:
        row = datasets.Sequence(datasets.Value("int32"))
        return evaluate.MetricInfo(
            description="Micro-F1, macro-F1 and exact match for multi-label classification.",
            citation="",
            inputs_description="predictions, references: rows of 0/1 indicators.",
            features=datasets.Features({"predictions": row, "references": row}),
        )

    def _compute(self, predictions: Any, references: Any, min_support: int = 1) -> dict[str, float]:
        gold = np.asarray(references, dtype=bool)
        scores = np.asarray(predictions, dtype=np.float64)
        names = [str(index) for index in range(gold.shape[1])]
        metrics = compute_metrics(
            gold, scores, np.full(gold.shape[1], 0.5), names, min_support=min_support
        )
        return {name: getattr(metrics, name) for name in NAMES}
