"""Memory and address space available to this process."""

from __future__ import annotations

import os
from pathlib import Path

from ..errors import ResourceError

#: Files with the memory limit of a control group, version 2 and version 1.
LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")

#: Address space that the compiler and the linear algebra need [bytes]. With less they abort the process, or wait for
#: ever for a thread that could not start. 1.0e9 is too little for a comparison, 1.5e9 enough for every command.
ADDRESSES = 1_400_000_000


def require_address_space() -> None:
    """Raise `ResourceError` if a limit (``ulimit -v``) leaves less than `ADDRESSES`."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limit = resource.getrlimit(resource.RLIMIT_AS)[0]
    if limit != resource.RLIM_INFINITY and limit < ADDRESSES:
        have, need = f"{limit / 1e9:.2g} GB", f"{ADDRESSES / 1e9:.2g} GB"
        raise ResourceError(
            f"the address space is limited to {have}, and the libraries need {need}", "raise it: ulimit -v unlimited"
        )


def available_memory() -> int:
    """Return the bytes available to this process: the free memory, within the limit of its control group."""
    have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        have = sum(int(lines[name].split()[0]) for name in ("MemAvailable", "SwapFree")) * 1024
    except (OSError, ValueError, KeyError):
        pass  # not Linux
    for limit in LIMITS:
        try:
            have = min(have, int(Path(limit).read_text()))
        except (OSError, ValueError):
            continue  # no such control group, or "max"
    return have
