"""Memory and address space available to this process."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ResourceError

#: Limits of a control group, of version 2 and version 1.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

#: Bytes of addresses that the compiler and the linear algebra need: with fewer they abort the process, or wait for
#: ever for a thread that could not start. 1.0e9 are too few for a comparison, 1.5e9 enough for every command.
ADDRESSES = 1_400_000_000


def require_address_space() -> None:
    """Raise `ResourceError` where a limit (``ulimit -v``) leaves fewer than `ADDRESSES`."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < ADDRESSES:
        told = f"the address space is limited to {limit / 1e9:.2g} GB, and the libraries need {ADDRESSES / 1e9:.2g} GB"
        raise ResourceError(told, "raise it: ulimit -v unlimited")


def available_memory() -> int:
    """Bytes available to this process: free memory of the system, within the limit of its control group."""
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
