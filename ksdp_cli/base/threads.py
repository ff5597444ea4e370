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


#: Variables that limit threads, the first that holds a whole number counts: ours, and those of the libraries that
#: people set for a shared node.
LIMITS = ("KSDP_THREADS", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS")
#: What a control group may use: quota and period in microseconds, in one file (version 2) or in two (version 1).
QUOTAS = (("/sys/fs/cgroup/cpu.max",), ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"))

_asked: int | None = None


@contextmanager
def limited(threads: int | None) -> Iterator[None]:
    """Within, `core_count` says no more than ``threads``; None leaves it as it is. Raises `ConfigError` below 1."""
    global _asked
    if threads is not None and threads < 1:
        raise ConfigError(f"threads = {threads}", "use 1 or more")
    before = _asked
    _asked = before if threads is None else threads
    try:
        yield
    finally:
        _asked = before


def core_count() -> int:
    """Threads that this process should use: the cores it may run on, unless `limited`, an environment variable or the
    CPU quota of its container says less. At least 1.
    """
    have = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = [_asked, _from_environment(), _quota()]
    return max(1, min([have, *(number for number in told if number is not None)]))


def _from_environment() -> int | None:
    for name in LIMITS:
        if name == "OMP_NUM_THREADS" and by_torchrun():
            continue  # torchrun sets it to 1 where the user has not
        text = os.environ.get(name, "").partition(",")[0].strip()  # OpenMP takes a list, a number for each level
        if text.isdigit() and int(text) > 0:
            return int(text)
    return None


@cache
def _quota() -> int | None:
    """The CPU quota of the control group in cores, rounded up; None without a quota."""
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
    """A pool that lives as long as the process; Numba's own may abort when two Python threads call it at once."""
    return ThreadPoolExecutor(threads, "ksdp")


if hasattr(os, "register_at_fork"):  # a forked worker has none of its parent's threads, and makes its own
    os.register_at_fork(after_in_child=pool.cache_clear)


def spread(task: Callable[[Item], object], items: Iterable[Item], threads: int) -> list[Any]:
    """Apply ``task`` to every item, results in order, in the calling thread and ``threads - 1`` others.

    The caller works too, and a helper that has not begun when nothing is left is called off: on a busy machine nobody
    waits for a thread that the system has not scheduled yet.
    """
    work = list(items)
    results: list[Any] = [None] * len(work)
    left = deque(enumerate(work))

    def pull() -> None:
        while True:
            try:
                place, item = left.popleft()
            except IndexError:
                return
            results[place] = task(item)

    helpers = [pool(threads - 1).submit(pull) for _ in range(min(threads, len(work)) - 1)] if threads > 1 else []
    try:
        pull()
    finally:
        left.clear()  # after an error there is nothing more to do
        waiting = [helper for helper in helpers if not helper.cancel()]
        errors = [helper.exception() for helper in waiting]
    for error in errors:
        if error is not None:
            raise error
    return results
