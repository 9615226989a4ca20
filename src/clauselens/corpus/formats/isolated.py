"""Reads a file in a process of its own, with bounds on its time and memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys

from clauselens.corpus.formats.child import MEMORY, PATIENCE, SECONDS
from clauselens.corpus.formats.extraction import Extracted
from clauselens.errors import InputError
from clauselens.records import Block


def extract(kind: str, data: bytes) -> Extracted:
    """Text and blocks of ``data``. Raises InputError, also where the parser hangs or breaks."""
    # -P: a module that lies beside a document must not be imported.
    command = [sys.executable, "-P", "-m", "clauselens.corpus.formats.child", kind]
    path = os.pathsep.join(part for part in sys.path if part)
    try:
        done = subprocess.run(
            command,
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=PATIENCE,
            env={**os.environ, "PYTHONPATH": path},
        )
        found = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        raise InputError(f"takes more than {PATIENCE} seconds to read") from None
    except ValueError:
        raise InputError(
            f"reading it broke off (limits: {SECONDS} s, {MEMORY / 2**30:g} GiB): damaged, or "
            "built to swell"
        ) from None
    if "error" in found:
        raise InputError(found["error"])
    blocks = (
        Block(start=start, end=end, role=role, level=level)
        for start, end, role, level in found["blocks"]
    )
    return Extracted(text=found["text"], blocks=tuple(blocks))
