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
from typing import Any, TypeVar

from ..base.threads import core_count
from ..errors import ConfigError
from .base import Workers, listen

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
        return self._pool.submit(fn, *args, **kwargs)

    def ask_to_stop(self, number: int) -> None:
        self._asked.value = number

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)


def _begin(asked: Any, driver: int) -> None:
    """Prepare a worker: signals of the terminal are the driver's to pass on."""
    listen(lambda: int(asked.value))
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(asked, driver), daemon=True).start()


def _watch(asked: Any, driver: int) -> None:
    """Save and leave when the driver is gone: a worker without one would wait for work for ever."""
    while os.getppid() == driver:
        time.sleep(0.5)
    asked.value = int(signal.SIGTERM)
    time.sleep(30.0)
    os._exit(1)
