"""The process that reads one file: a bomb or a flaw in a parser ends it, and nothing else.

``python -m clauselens.corpus.formats.child KIND`` takes the file on standard input and writes
``{"text", "blocks"}`` or ``{"error"}`` in JSON to standard output. It opens no file and no socket.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from importlib import import_module

from clauselens.errors import InputError

MEMORY = 2 * 2**30
"""Address space of the process, in bytes."""

SECONDS = 10
"""Processor time to read one file; the clock may show more on a busy machine."""

PATIENCE = 600
"""Seconds by the clock after which a reader that uses no processor is given up."""

READERS = {
    "html": "clauselens.corpus.formats.page",
    "markdown": "clauselens.corpus.formats.markdown",
    "pdf": "clauselens.corpus.formats.pdf",
    "docx": "clauselens.corpus.formats.word",
}


def answer(kind: str, data: bytes) -> dict[str, object]:
    """What is written to standard output."""
    try:
        found = import_module(READERS[kind]).extract(data)
    except InputError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": f"needs more than {MEMORY:,} bytes of memory to read"}
    except Exception as error:
        # Parsers raise whatever they like on damaged files.
        what = " ".join(str(error).split()) or type(error).__name__
        return {"error": f"damaged or no {kind} file: {what[:200]}"}
    blocks = [[block.start, block.end, block.role, block.level] for block in found.blocks]
    return {"text": found.text, "blocks": blocks}


def main() -> None:
    """Read standard input under limits."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # Ends the process even where its parent has gone.
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as out:
        # Whatever a library prints must not mix with the answer.
        os.dup2(2, 1)
        json.dump(answer(sys.argv[1], sys.stdin.buffer.read()), out)


if __name__ == "__main__":
    main()
