"""Threads for compiled loops that release the GIL, and the number of cores."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from ..errors import ConfigError
from .launcher import by_torchrun

Item = TypeVar("Item")
Result = TypeVar("Result")


#: Variables that limit threads; the first with a whole number counts: ours, then those that users set on shared nodes.
LIMITS = ("KSDP_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
#: CPU quota of a control group: quota and period in microseconds, in one file (version 2) or two (version 1).
QUOTAS = (("/sys/fs/cgroup/cpu.max",), ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"))

_limit: int | None = None


@contextmanager
def limit_threads(threads: int | None) -> Iterator[None]:
    """Limit `core_count` to ``threads`` in the block; None sets no limit. Raises `ConfigError` below 1."""
    global _limit
    if threads is not None and threads < 1:
        raise ConfigError(f"threads = {threads} is too few", "use 1 or more")
    before = _limit
    _limit = before if threads is None else threads
    try:
        yield
    finally:
        _limit = before


def core_count() -> int:
    """Return the number of threads to use: the cores this process may run on, or fewer if `limit_threads`, an
    environment variable or the CPU quota of its container says so. At least 1.
    """
    have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limits = [_limit, _from_environment(), _quota()]
    return max(1, min([have, *(limit for limit in limits if limit is not None)]))


def _from_environment() -> int | None:
    for name in LIMITS:
        if name == "OMP_NUM_THREADS" and by_torchrun():
            continue  # torchrun sets it to 1 if the user does not
        text = os.environ.get(name, "").partition(",")[0].strip()  # OpenMP takes a list, one number for each level
        if text.isdigit() and int(text) > 0:
            return int(text)
    return None


@cache
def _quota() -> int | None:
    """Return the CPU quota of the control group in cores, rounded up; None without a quota."""
    for files in QUOTAS:
        try:
            quota, period = " ".join(Path(file).read_text() for file in files).split()
            if int(quota) > 0:
                return -(-int(quota) // int(period))
        except (OSError, ValueError, ZeroDivisionError):
            continue  # no such control group, or "max"
    return None


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """Return a pool for the life of the process; Numba's own may abort if two Python threads call it at once."""
    return ThreadPoolExecutor(threads, "ksdp")


if hasattr(os, "register_at_fork"):  # a forked worker has no threads of its parent, and starts its own
    os.register_at_fork(after_in_child=pool.cache_clear)


def parallel_map(task: Callable[[Item], Result], items: Iterable[Item], threads: int) -> list[Result]:
    """Apply ``task`` to every item in the calling thread and ``threads - 1`` others; return the results in order.

    A helper thread that has not started when no items are left is cancelled: on a busy machine the caller does not wait
    for a thread that the system has not scheduled yet.
    """
    work = list(items)
    results: list[Any] = [None] * len(work)
    queue = deque(enumerate(work))

    def pull() -> None:
        while True:
            try:
                place, item = queue.popleft()
            except IndexError:
                return
            results[place] = task(item)

    helpers = [pool(threads - 1).submit(pull) for _ in range(min(threads, len(work)) - 1)] if threads > 1 else []
    try:
        pull()
    finally:
        queue.clear()  # after an error, start no more tasks
        waiting = [helper for helper in helpers if not helper.cancel()]
        errors = [helper.exception() for helper in waiting]
    for error in errors:
        if error is not None:
            raise error
    return results
