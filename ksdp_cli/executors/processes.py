"""Processes of this machine, by the standard library.

Workers are spawned, not forked, since a forked one could inherit locked threads. A worker whose driver ends saves its
case and ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TYPE_CHECKING, TypeVar

from ..base.leaving import leave_at_once
from ..base.threads import core_count
from ..errors import ConfigError
from .base import Workers, listen
from .environment import blas, for_children, ignore_sigint, shielded, without_main

if TYPE_CHECKING:
    from multiprocessing.sharedctypes import Synchronized

T = TypeVar("T")


class Processes(Workers):
    """`ProcessPoolExecutor` with ``workers`` processes, each with its share of the threads.

    If one is killed, no further cases start; the same command resumes from the saved states.
    """

    def __init__(self, place: str, workers: int | None) -> None:
        if place:
            raise ConfigError(f"executor 'processes:{place}'", "it runs on this machine only; use 'processes'")
        workers = workers or core_count()
        self.threads = max(1, core_count() // workers)
        context = multiprocessing.get_context("spawn")
        self._number = context.Value("i", 0, lock=False)
        self._pool = ProcessPoolExecutor(
            workers, mp_context=context, initializer=_begin, initargs=(self._number, os.getpid())
        )

    def submit(self, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        try:
            with for_children(blas(self.threads)), shielded(), without_main():
                return self._pool.submit(_run, fn, *args, **kwargs)
        except BrokenProcessPool as error:  # a worker was lost before its first call
            lost = Future[T]()
            lost.set_exception(error)
            return lost

    def ask_to_stop(self, number: int) -> None:
        self._number.value = number

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)


#: In a worker: set while it runs a call; set after SIGTERM, which the pool sends when another worker was killed.
_busy, _ending = threading.Event(), threading.Event()
#: Seconds between two checks of the driver, and that an idle worker waits for work after SIGTERM.
LOOK, GRACE = 0.5, 2.0
#: Seconds that a worker whose driver is gone has for saving its case.
SAVING = 30.0


def _run(fn: Callable[..., T], /, *args: object, **kwargs: object) -> T:
    _busy.set()
    try:
        return fn(*args, **kwargs)
    finally:
        _busy.clear()


def _begin(shared_number: Synchronized[int], driver: int) -> None:
    """Prepare a worker: ignore signals of the terminal, which the driver passes on.

    The pool sends SIGTERM to its workers when one of them was killed. A worker with a case finishes it. A worker
    without one exits, since it could wait for ever for a lock of the killed process.
    """
    leave_at_once()
    listen(lambda: int(shared_number.value))
    ignore_sigint()
    signal.signal(signal.SIGTERM, lambda *_: _ending.set())
    threading.Thread(target=_watch, args=(shared_number, driver), daemon=True).start()


def _watch(shared_number: Synchronized[int], driver: int) -> None:
    """Save and exit when the driver is gone; without this check the worker would wait for work for ever."""
    idle = 0.0
    while os.getppid() == driver:
        time.sleep(LOOK)
        idle = idle + LOOK if _ending.is_set() and not _busy.is_set() else 0.0
        if idle >= GRACE:
            os._exit(1)
    shared_number.value = int(signal.SIGTERM)
    ends = time.monotonic() + SAVING
    while _busy.is_set() and time.monotonic() < ends:
        time.sleep(LOOK)
    os._exit(1)
