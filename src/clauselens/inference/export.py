"""Exports a model folder's network as an OpenVINO graph that passed a gate against torch, and
stores the clauses that the model learnt from beside it.

Needs the extra [train]. The folder keeps its safetensors, so torch still loads it.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from clauselens.dataset.rows import clauses, read_examples
from clauselens.errors import InputError, MissingExtraError
from clauselens.evaluation.leakage import check_unseen
from clauselens.evaluation.metrics import compute_metrics, label_matrix
from clauselens.inference.classifier import ClauseClassifier
from clauselens.inference.graph import traced, unreported
from clauselens.inference.learnt import store_training_clauses
from clauselens.model.encoding import Window
from clauselens.model.folder import (
    DATA_MANIFEST,
    ENGINE,
    GRAPH,
    GRAPH_WEIGHTS,
    TRAINING_CLAUSES,
    seal,
    unseal,
)
from clauselens.records import Context, Example
from clauselens.storage import read_json, write_json
from clauselens.taxonomy import nearest

Precision = Literal["fp32", "bf16", "int8"]

EQUAL_SETS = 0.995
"""Share of inputs that must get the same labels as from torch in float32."""

DIFFERENCE = 0.02
"""Bound on the 99th percentile of the score difference; for fp32, 1e-4 bounds them all."""

FP32_DIFFERENCE = 1e-4
_CALIBRATION_ROWS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """How far the exported engine is from torch in float32, on stored inputs.

    Differences are of calibrated scores. ``f1`` holds the micro-F1 of torch and of the export on
    labelled rows that the model did not see, where there are any.
    """

    precision: str
    inputs: int
    equal_label_sets: float
    difference_p99: float
    difference_max: float
    f1: dict[str, float]

    @property
    def passed(self) -> bool:
        if self.precision == "fp32" and self.difference_max > FP32_DIFFERENCE:
            return False
        return self.equal_label_sets >= EQUAL_SETS and self.difference_p99 <= DIFFERENCE

    def __str__(self) -> str:
        f1 = "".join(f", micro-F1 on {name} {value:.4f}" for name, value in self.f1.items())
        return (
            f"{self.precision}: equal label sets on {self.equal_label_sets:.2%} of {self.inputs} "
            f"inputs (at least {EQUAL_SETS:.1%}), 99th percentile of the score difference "
            f"{self.difference_p99:.5f} (at most {DIFFERENCE}), greatest {self.difference_max:.5f}"
            f"{f1}"
        )


def export(
    folder: Path, *, precision: str = "auto", progress: Callable[[str], None] = lambda text: None
) -> Gate:
    """Write ``openvino.xml``, ``openvino.bin`` and ``engine.json`` into a sealed model folder,
    and ``training_clauses.parquet`` where the model's data are at hand. ``progress`` is told of
    each long part before it begins.

    ``auto``: bf16 where this processor multiplies it natively and the gate lets it pass, else
    fp32. Raises InputError with the figures if the gate refuses, which leaves the folder as it
    was; MissingExtraError without torch, or for int8 without nncf.
    """
    known = ("auto", *get_args(Precision))
    if precision not in known:
        raise InputError(f"precision: unknown {precision!r}{nearest(precision, known)}")
    reference = ClauseClassifier.load(folder, engine="torch")
    wanted = [precision]
    if precision == "auto":
        native = "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        wanted = ["bf16", "fp32"] if native else ["fp32"]
    graph, pad = traced(folder)
    refused = []
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}.export.") as place:
        for choice in wanted:
            progress(f"{folder}: comparing {choice} with torch on the inputs of the gate")
            gate, exported = _export(folder, Path(place), graph, pad, choice, reference)
            if gate.passed:
                stored = store_training_clauses(folder, Path(place), exported, progress=progress)
                _install(Path(place), folder, *([TRAINING_CLAUSES] if stored else []))
                return gate
            refused.append(str(gate))
    raise InputError(
        f"{folder}: not exported, too far from torch in float32; " + "; ".join(refused)
    )


def _export(
    folder: Path, place: Path, graph: ov.Model, pad: int, choice: str, reference: ClauseClassifier
) -> tuple[Gate, ClauseClassifier]:
    """Write the graph and its facts into ``place``, and compare what it gives."""
    if choice == "int8":
        graph = _quantised(graph, reference)
    ov.save_model(graph, place / GRAPH, compress_to_fp16=False)
    facts: dict[str, Any] = {"engine": "openvino", "precision": choice, "pad": pad}
    write_json(place / ENGINE, {**facts, "openvino": version("openvino")})

    from clauselens.inference.openvino_engine import OpenVinoEngine

    engine = OpenVinoEngine(place, threads=reference.engine.threads)
    exported = reference.with_engine(engine)
    if engine.precision != choice:
        raise InputError(f"{choice}: this processor has none; export on one that does, or fp32")
    gate = _compare(folder, reference, exported, choice)
    write_json(place / ENGINE, {**facts, "openvino": version("openvino"), "gate": asdict(gate)})
    return gate, exported


def _install(place: Path, folder: Path, *further: str) -> None:
    names = (GRAPH, GRAPH_WEIGHTS, ENGINE, *further)
    unseal(folder, names)
    for name in names:
        shutil.move(place / name, folder / name)
    seal(folder)


def _compare(
    folder: Path, reference: ClauseClassifier, exported: ClauseClassifier, precision: str
) -> Gate:
    rows = gate_inputs()
    texts, contexts = [row.text for row in rows], [row.context for row in rows]
    cuts = np.array(list(reference.thresholds.values()))
    one, other = (each.predict_proba(texts, contexts) for each in (reference, exported))
    difference = np.abs(one - other)
    return Gate(
        precision=precision,
        inputs=len(rows),
        equal_label_sets=float(((one >= cuts) == (other >= cuts)).all(1).mean()),
        difference_p99=float(np.quantile(difference, 0.99)),
        difference_max=float(difference.max()),
        f1=_f1(folder, reference, exported),
    )


def gate_inputs() -> list[Example]:
    """The stored inputs: 1,000 clauses of no policy and no training set, most with context."""
    text = (files("clauselens.inference") / "gate.jsonl").read_text(encoding="utf-8")
    return [
        Example(id=str(number), labels=(), **json.loads(line))
        for number, line in enumerate(text.splitlines())
    ]


def _f1(folder: Path, reference: ClauseClassifier, exported: ClauseClassifier) -> dict[str, float]:
    """Micro-F1 of both on the test rows of the model's own data, if it has any."""
    data = Path(read_json(folder / DATA_MANIFEST)["data"])
    if not data.exists():
        return {}
    rows = clauses(read_examples(data, taxonomy=reference.taxonomy), "test")
    if not rows:
        return {}
    try:
        check_unseen(folder / DATA_MANIFEST, rows, data=str(data), near_duplicates=True)
    except InputError:
        return {}  # The model to ship saw every row: there is nothing left to score.
    gold = label_matrix([row.labels for row in rows], reference.labels)
    cuts = np.array(list(reference.thresholds.values()))
    texts: Sequence[str] = [row.text for row in rows]
    contexts: Sequence[Context] = [row.context for row in rows]
    return {
        f"{len(rows)} test rows, {name}": compute_metrics(
            gold, each.predict_proba(texts, contexts), cuts, reference.labels
        ).micro_f1
        for name, each in (("torch", reference), ("exported", exported))
    }


def _quantised(graph: ov.Model, reference: ClauseClassifier) -> ov.Model:
    """Static int8 quantisation (NNCF), calibrated on stored inputs."""
    try:
        with unreported():
            import nncf
    except ImportError:
        raise MissingExtraError("int8", "int8") from None
    rows = gate_inputs()[:_CALIBRATION_ROWS]
    encoded = reference.encode([row.text for row in rows], [row.context for row in rows])

    def inputs(window: Window) -> dict[str, NDArray[np.int64]]:
        arrays = {
            "input_ids": np.array([window.ids]),
            "attention_mask": np.ones((1, len(window.ids)), dtype=np.int64),
            "token_type_ids": np.array([window.type_ids]),
        }
        return {one.any_name: arrays[one.any_name] for one in graph.inputs}

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nncf.quantize(
            graph.clone(),
            nncf.Dataset([windows[0] for windows in encoded], inputs),
            model_type=nncf.ModelType.TRANSFORMER,
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=_CALIBRATION_ROWS,
        )
