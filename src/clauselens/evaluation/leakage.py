"""Refuses to score a model on what it saw."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from clauselens.errors import InputError
from clauselens.records import Example
from clauselens.storage import read_json, sha256_bytes

SHOWN = 3


def check_unseen(
    manifest: Path, examples: Sequence[Example], *, data: str, near_duplicates: bool = False
) -> int:
    """Raise InputError if ``manifest`` names a row of ``examples``, or its duplicate group.

    Ids and groups are compared where the model was trained on the same ``data``; texts always.
    With ``near_duplicates``, rows that only share a group are let through; their number is
    returned, for the report to say.
    """
    seen = read_json(manifest)
    rows = seen["rows"] if seen["data"] == data else []
    texts = {row["text_sha256"] for row in seen["rows"]}
    ids = {row["id"] for row in rows}
    groups = {row["duplicate_group"] for row in rows if row["duplicate_group"] >= 0}
    equal = {e.id for e in examples if sha256_bytes(e.text.encode()) in texts}
    # Ids tell a row from one with an equal text in the same data; elsewhere the text has to.
    same = [e.id for e in examples if e.id in (ids if rows else equal)]
    alike = [
        e.id
        for e in examples
        if (e.duplicate_group in groups or e.id in equal) and e.id not in set(same)
    ]
    leaked = same if near_duplicates else [*same, *alike]
    if leaked:
        remedy = (
            ""
            if same
            else "; --keep-near-duplicates scores a benchmark's own split all the same, and says so"
        )
        raise InputError(
            f"the model saw {len(leaked)} of {len(examples)} rows, or near-duplicates of them, in "
            f"training ({', '.join(leaked[:SHOWN])} …): a score on them would lie{remedy}"
        )
    return len(alike)
