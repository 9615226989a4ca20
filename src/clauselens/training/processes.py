"""Several processes of one run, as `accelerate launch` or `torchrun` start them: the main one
alone writes files, the others wait for it.
"""

from __future__ import annotations

import os

import torch


def process_count() -> int:
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    return os.environ.get("RANK", "0") == "0"


def wait_for_all() -> None:
    """Return when every process has come here; at once if there is but one."""
    if process_count() > 1:
        torch.distributed.barrier()
