"""Processes of this machine, of the standard library.

Workers are spawned, not forked, so that none inherits threads. A worker that loses its driver saves its case and ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from ..base.threads import core_count
from ..errors import ConfigError
from .base import Workers, listen

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

T = TypeVar("T")


class Processes(Workers):
    """`ProcessPoolExecutor`: as many processes as workers, each with its share of the threads.

    One that is killed ends the others' waiting cases; the same command goes on from what is saved.
    """

    def __init__(self, place: str, workers: int | None) -> None:
        if place:
            raise ConfigError(f"executor 'processes:{place}'", "it has no place but this machine; use 'processes'")
        workers = workers or core_count()
        self.threads = max(1, core_count() // workers)
        context = multiprocessing.get_context("spawn")
        self._asked = context.Value("i", 0, lock=False)
        self._pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_begin, initargs=(self._asked, os.getpid())
        )

    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        return self._pool.submit(_worked, fn, *args, **kwargs)

    def ask_to_stop(self, number: int) -> None:
        self._asked.value = number

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)


#: In a worker: whether it has work, and whether it was told to end, by a terminal or since another was killed.
_busy, _told_to_end = threading.Event(), threading.Event()
#: Seconds between two looks of a worker at its driver, and that it waits for more work once it was told to end.
LOOK, GRACE = 0.5, 2.0


def _worked(fn: Callable[..., T], /, *args: object, **kwargs: object) -> T:
    _busy.set()
    try:
        return fn(*args, **kwargs)
    finally:
        _busy.clear()


def _begin(asked: Synchronized[int], driver: int) -> None:
    """Prepare a worker: signals of the terminal are the driver's to pass on.

    The pool ends its workers by SIGTERM where one of them was killed. One that has a case brings it to its end; one
    that has none may wait for ever for a lock that died with the other, and leaves.
    """
    listen(lambda: int(asked.value))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: _told_to_end.set())
    threading.Thread(target=_watch, args=(asked, driver), daemon=True).start()


def _watch(asked: Synchronized[int], driver: int) -> None:
    """Save and leave when the driver is gone: a worker without one would wait for work for ever."""
    idle = 0.0
    while os.getppid() == driver:
        time.sleep(LOOK)
        idle = idle + LOOK if _told_to_end.is_set() and not _busy.is_set() else 0.0
        if idle >= GRACE:
            os._exit(1)
    asked.value = int(signal.SIGTERM)
    time.sleep(30.0)
    os._exit(1)
