"""Threads for compiled loops that release the interpreter's lock, and the cores there are for them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache


def core_count() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """Threads that live as long as the process. Of our own, because Numba's may abort it when two Python threads call
    it at once."""
    return ThreadPoolExecutor(threads, "ksdp")
