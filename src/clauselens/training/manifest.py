"""What a model folder says of its making: the resolved configuration and the rows it has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version

from clauselens import __version__
from clauselens.records import Example
from clauselens.storage import sha256_bytes
from clauselens.taxonomy import Taxonomy
from clauselens.training.config import TrainConfig
from clauselens.training.encoders import Encoder
from clauselens.training.processes import process_count

LIBRARIES = ("torch", "transformers", "tokenizers", "accelerate", "numpy")


def resolved_config(config: TrainConfig, encoder: Encoder) -> dict[str, object]:
    """The resolved configuration with the encoder's source and digest, and library versions."""
    resolved = replace(config, encoder=replace(config.encoder, sha256=encoder.sha256))
    return {
        "clauselens": __version__,
        "config": resolved.to_dict(),
        "encoder_source": encoder.source,
        "processes": process_count(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def data_manifest(
    config: TrainConfig, taxonomy: Taxonomy, seen: Mapping[str, Sequence[Example]]
) -> dict[str, object]:
    """Which rows the model has seen, by use: evaluation refuses them."""
    return {
        "data": config.data,
        "taxonomy": {"name": taxonomy.name, "version": taxonomy.version},
        "rows": [
            {
                "id": example.id,
                "use": use,
                "duplicate_group": example.duplicate_group,
                "text_sha256": sha256_bytes(example.text.encode()),
            }
            for use, part in seen.items()
            for example in part
        ],
    }
