"""The memory that this process may still take."""

from __future__ import annotations

import os
from pathlib import Path

#: Limits of a control group, of version 2 and version 1.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


def available_memory() -> int:
    """Bytes that this process may still take: what the system has left, within the limit of its control group."""
    have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        left = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        have = sum(int(left[name].split()[0]) for name in ("MemAvailable", "SwapFree")) * 1024
    except (OSError, ValueError, KeyError):
        pass  # not Linux
    for limit in LIMITS:
        try:
            have = min(have, int(Path(limit).read_text()))
        except (OSError, ValueError):
            continue  # no such control group, or "max"
    return have
