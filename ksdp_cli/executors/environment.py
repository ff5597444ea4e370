"""The start of worker processes: their environment, and the Ctrl-C of a terminal, which reaches them as it does us."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType


def blas(threads: int | None) -> dict[str, str]:
    """Variables with which a process starts OpenBLAS with ``threads`` threads, unless the user has set them.

    Each of its threads waits actively at first: one for each core costs every start of Python, NumPy and SciPy 0.2 s
    of a core, which the other workers need.
    """
    name = "OPENBLAS_NUM_THREADS"
    return {} if threads is None or name in os.environ else {name: str(threads)}


@contextlib.contextmanager
def for_children(variables: Mapping[str, str]) -> Iterator[Callable[[], None]]:
    """Set ``variables`` in the block, for the processes that are started in it; what the program has set otherwise
    meanwhile stays.

    Yields the function that puts them back, for libraries that set them again after the block.
    """
    before = {name: os.environ.get(name) for name in variables}

    def put_back() -> None:
        for name, value in before.items():
            if os.environ.get(name) != variables[name]:
                continue
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

    os.environ.update(variables)
    try:
        yield put_back
    finally:
        put_back()


@contextlib.contextmanager
def shielded() -> Iterator[None]:
    """Block SIGINT in the processes that this thread starts in the block, until they call `ignore_sigint`."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # its start would unblock SIGINT again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextlib.contextmanager
def without_main() -> Iterator[None]:
    """Spawn processes in the block that do not run the main script of this one again.

    A worker needs nothing of it, and a script without ``if __name__ == "__main__":`` would start its runs once more.
    """
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


def ignore_sigint() -> None:
    """In a worker's main thread: ignore SIGINT, which the driver passes on, and end the block of `shielded`, which
    every process that a plugin starts would inherit."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
