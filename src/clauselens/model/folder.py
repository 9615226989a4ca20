"""The model folder: a standard Hugging Face folder plus our own small files.

``config.json``, ``model.safetensors`` and the tokenizer's files load in plain ``transformers``;
the files named here hold what it does not know. Nothing is unpickled. ``checksums.json`` is
written last: without it a folder is not complete.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clauselens.errors import InputError
from clauselens.evaluation.scaling import Scaling
from clauselens.model.encoding import InputFormat
from clauselens.storage import read_json, sha256_bytes, sha256_file, write_json
from clauselens.taxonomy import Taxonomy, taxonomy_from_dict

WEIGHTS = "model.safetensors"
TAXONOMY = "taxonomy.json"
THRESHOLDS = "thresholds.json"
CALIBRATION = "calibration.json"
INPUT_FORMAT = "input_format.json"
TRAINING_CONFIG = "training_config.json"
DATA_MANIFEST = "data_manifest.json"
METRICS = "metrics.json"
ENGINE = "engine.json"
GRAPH = "openvino.xml"
GRAPH_WEIGHTS = "openvino.bin"
TRAINING_CLAUSES = "training_clauses.parquet"
CHECKSUMS = "checksums.json"
CARD = "README.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFacts:
    """What the classifier needs beside the network."""

    folder: Path
    taxonomy: Taxonomy
    thresholds: NDArray[np.float64]
    scaling: Scaling
    input_format: InputFormat
    checksum: str


def write_facts(
    folder: Path,
    *,
    taxonomy: Taxonomy,
    thresholds: NDArray[np.float64],
    scaling: Scaling,
    input_format: InputFormat,
) -> None:
    """Write our own files beside the network's. Call ``seal`` when all is written."""
    write_json(folder / TAXONOMY, taxonomy.to_dict())
    write_json(folder / THRESHOLDS, dict(zip(taxonomy.labels, map(float, thresholds), strict=True)))
    write_json(
        folder / CALIBRATION,
        {
            "method": scaling.method,
            "slope": dict(zip(taxonomy.labels, scaling.slope.tolist(), strict=True)),
            "offset": dict(zip(taxonomy.labels, scaling.offset.tolist(), strict=True)),
        },
    )
    write_json(folder / INPUT_FORMAT, input_format.to_dict())


def seal(folder: Path) -> None:
    """Write ``checksums.json`` over every file in the folder, last."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != CHECKSUMS)
    write_json(folder / CHECKSUMS, {path.name: sha256_file(path) for path in files})


def unseal(folder: Path, names: Sequence[str]) -> None:
    """Take ``names`` out of the checksums and out of the folder: it stays whole without them."""
    listed = read_json(folder / CHECKSUMS)
    write_json(folder / CHECKSUMS, {k: v for k, v in listed.items() if k not in names})
    for name in names:
        (folder / name).unlink(missing_ok=True)


def read_facts(folder: Path) -> ModelFacts:
    """Verify a model folder by its checksums and read our own files. Writes nothing.

    Raises InputError that names the file which is missing, damaged or malformed.
    """
    checksums = _verify(folder)
    taxonomy = taxonomy_from_dict(read_json(folder / TAXONOMY), where=str(folder / TAXONOMY))
    thresholds = _per_label(folder / THRESHOLDS, read_json(folder / THRESHOLDS), taxonomy)
    calibration = read_json(folder / CALIBRATION)
    if not isinstance(calibration, dict):
        raise InputError(f"{folder / CALIBRATION}: expected an object")
    slope, offset = (
        _per_label(folder / CALIBRATION, calibration.get(part), taxonomy)
        for part in ("slope", "offset")
    )
    try:
        input_format = InputFormat(**read_json(folder / INPUT_FORMAT))
    except TypeError as error:
        raise InputError(f"{folder / INPUT_FORMAT}: {error}") from None
    return ModelFacts(
        folder=folder,
        taxonomy=taxonomy,
        thresholds=thresholds,
        scaling=Scaling(str(calibration.get("method")), slope, offset),
        input_format=input_format,
        checksum=sha256_bytes("".join(sorted(checksums.values())).encode()),
    )


def check_complete(folder: Path) -> None:
    """Raise InputError if there is no such folder, or its writing did not come to its end."""
    if not folder.is_dir():
        raise InputError(f"{folder}: no such model folder")
    if not (folder / CHECKSUMS).is_file():
        raise InputError(f"{folder}: no {CHECKSUMS}; not a complete model folder of clauselens")


def _verify(folder: Path) -> Mapping[str, str]:
    check_complete(folder)
    checksums = read_json(folder / CHECKSUMS)
    paths = [folder / name for name in checksums]
    for path in paths:
        if not path.is_file():
            raise InputError(f"{path}: missing, though {CHECKSUMS} lists it")
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(sha256_file, paths))
    for path, digest in zip(paths, found, strict=True):
        if digest != checksums[path.name]:
            raise InputError(
                f"{path}: damaged or swapped, its sha256 is not the one in {CHECKSUMS}"
            )
    return checksums  # type: ignore[no-any-return]


def _per_label(path: Path, values: Any, taxonomy: Taxonomy) -> NDArray[np.float64]:
    if not isinstance(values, dict) or list(values) != list(taxonomy.labels):
        raise InputError(f"{path}: expected one number for each label of {TAXONOMY}, in order")
    return np.array([float(value) for value in values.values()])
