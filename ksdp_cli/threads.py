"""Threads for compiled loops that release the interpreter's lock, and the cores there are for them."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, TypeVar

Item = TypeVar("Item")


def core_count() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def pool(threads: int) -> ThreadPoolExecutor:
    """Threads that live as long as the process. Of our own, because Numba's may abort it when two Python threads call
    it at once."""
    return ThreadPoolExecutor(threads, "ksdp")


if hasattr(os, "register_at_fork"):  # a forked worker has none of its parent's threads, and makes its own
    os.register_at_fork(after_in_child=pool.cache_clear)


def spread(task: Callable[[Item], Any], items: Iterable[Item], threads: int) -> list[Any]:
    """``task`` of every item, in order, by the calling thread and ``threads - 1`` others.

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
