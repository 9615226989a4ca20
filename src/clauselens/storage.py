"""Files that are whole or absent: atomic writes, JSON Lines, digests, manifests."""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from clauselens import __version__
from clauselens.errors import InputError

MANIFEST = "manifest.json"


def sha256_bytes(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def sha256_file(path: Path) -> str:
    """The hexadecimal SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file so that a reader sees the old bytes or the new ones, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """Write indented JSON; a number that is not finite becomes null, which JSON can hold."""
    text = json.dumps(finite(value), ensure_ascii=False, indent=2, allow_nan=False)
    write_text(path, text + "\n")


def finite(value: Any) -> Any:
    """``value`` with None for every number that is not finite, at any depth."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def read_json(path: Path) -> Any:
    """Read a JSON file. Raises InputError that names the file."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid JSON: {error}") from None


def read_yaml(path: Path) -> Any:
    """Read a YAML file. Raises InputError that names the file."""
    try:
        return yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None


def jsonl_bytes(rows: Iterable[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode("utf-8")


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    write_bytes(path, jsonl_bytes(rows))


def read_jsonl(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield ``(place, row)`` where place is ``file:line``, for errors. Raises InputError."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 (byte {error.start})") from None
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        place = f"{path}:{number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise InputError(f"{place}: not valid JSON: {error.msg}") from None
        if not isinstance(row, dict):
            raise InputError(f"{place}: expected an object, found {type(row).__name__}")
        yield place, row


def field(row: Mapping[str, Any], key: str, kind: type | tuple[type, ...], *, place: str) -> Any:
    """``row[key]`` if it is there and of ``kind``; raises InputError that names place and value."""
    if key not in row:
        raise InputError(f"{place}: no field {key!r}")
    value = row[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise InputError(f"{place}: field {key!r} has the value {value!r} of a wrong type")
    return value


def write_manifest(folder: Path, *, inputs: Iterable[Path], counts: Mapping[str, Any]) -> None:
    """Write ``manifest.json``, last: its presence says that the folder is complete.

    Inputs are recorded by file name and digest, outputs by digest; no time, so that equal
    inputs give equal bytes.
    """
    outputs = sorted(path for path in folder.iterdir() if path.is_file() and path.name != MANIFEST)
    write_json(
        folder / MANIFEST,
        {
            "code_version": __version__,
            "inputs": {path.name: sha256_file(path) for path in inputs},
            "outputs": {path.name: sha256_file(path) for path in outputs},
            "counts": dict(counts),
        },
    )
