"""Executors for the cases of a sweep: processes of this machine, of the standard library.

Workers are spawned, not forked, so that none inherits threads. A worker that loses its driver saves its case and ends.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from typing import Any

#: Set in a worker: the number of the signal that asks it to save and leave, 0 while none does.
_asked: Any = None


def stop_signal() -> int | None:
    """In a worker, the signal that its driver has passed on; None elsewhere and otherwise."""
    return int(_asked.value) or None if _asked is not None else None


@contextlib.contextmanager
def processes(workers: int) -> Iterator[tuple[Executor, Callable[[int], None]]]:
    """An executor with ``workers`` processes, and a function that passes a signal's number on to them."""
    context = multiprocessing.get_context("spawn")
    asked = context.Value("i", 0, lock=False)

    def ask_to_stop(number: int) -> None:
        asked.value = number

    executor = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(asked, os.getpid()))
    try:
        yield executor, ask_to_stop
    finally:
        executor.shutdown(wait=True, cancel_futures=True)


def _begin(asked: Any, driver: int) -> None:
    """Prepare a worker: signals of the terminal are the driver's to pass on."""
    global _asked
    _asked = asked
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(driver,), daemon=True).start()


def _watch(driver: int) -> None:
    """Save and leave when the driver is gone: a worker without one would wait for work for ever."""
    while os.getppid() == driver:
        time.sleep(0.5)
    _asked.value = int(signal.SIGTERM)
    time.sleep(30.0)
    os._exit(1)
