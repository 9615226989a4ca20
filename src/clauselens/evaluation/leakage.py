"""Refuses to score a model on what it saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clauselens.errors import InputError
from clauselens.records import Example
from clauselens.storage import read_json, sha256_bytes

SHOWN = 3


def check_unseen(manifest: Path, examples: Sequence[Example], *, data: str) -> None:
    """Raise InputError if ``manifest`` names a row of ``examples``, or its duplicate group.

    Ids and groups are compared where the model was trained on the same ``data``; texts always.
    """
    seen = read_json(manifest)
    rows = seen["rows"]
    texts = {row["text_sha256"] for row in rows}
    same = seen["data"] == data
    ids = {row["id"] for row in rows} if same else set()
    groups = (
        {row["duplicate_group"] for row in rows if row["duplicate_group"] >= 0} if same else set()
    )
    leaked = [
        example.id
        for example in examples
        if example.id in ids
        or example.duplicate_group in groups
        or sha256_bytes(example.text.encode()) in texts
    ]
    if leaked:
        raise InputError(
            f"the model saw {len(leaked)} of {len(examples)} rows, or near-duplicates of them, in "
            f"training ({', '.join(leaked[:SHOWN])} …): a score on them would lie"
        )
