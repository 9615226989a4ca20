"""How many processors this process may use."""

from __future__ import annotations

import os
from math import ceil
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def available_cpus(cgroup: Path = _CGROUP) -> int:
    """Processors by affinity, by the quota of the control group (a container's) and by
    ``OMP_NUM_THREADS``, which torch and NumPy go by too; at least 1.
    """
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    quota = _quota(cgroup)
    limits = [allowed or 1, ceil(quota) if quota else None, _asked()]
    return max(1, min(limit for limit in limits if limit is not None))


def _asked() -> int | None:
    """What ``OMP_NUM_THREADS`` says, of the outermost level of a list; None if it is no number."""
    outermost = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(outermost) if outermost.isdecimal() else None


def _quota(cgroup: Path) -> float | None:
    """Processors that the control group grants (version 2, then 1), or None for no limit."""
    try:
        limit, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            limit = (cgroup / "cpu/cpu.cfs_quota_us").read_text().strip()
            period = (cgroup / "cpu/cpu.cfs_period_us").read_text().strip()
        except OSError:
            return None
    return None if limit in ("max", "-1") else int(limit) / int(period)
