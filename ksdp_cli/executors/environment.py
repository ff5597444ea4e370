"""The start and the end of worker processes: their environment, and how they leave."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
from collections.abc import Iterator, Mapping


def blas(threads: int | None) -> dict[str, str]:
    """Variables with which a process starts OpenBLAS with ``threads`` threads, unless the user has set them.

    Each of its threads waits actively at first: one for each core costs every start of Python, NumPy and SciPy 0.2 s
    of a core, which the other workers need.
    """
    name = "OPENBLAS_NUM_THREADS"
    return {} if threads is None or name in os.environ else {name: str(threads)}


@contextlib.contextmanager
def for_children(variables: Mapping[str, str]) -> Iterator[None]:
    """Set ``variables`` in the block, for the processes that are started in it."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        restore(before)


def restore(variables: Mapping[str, str | None]) -> None:
    """Set environment variables, and remove those that are None."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def leave_at_once() -> None:
    """Let this process end without looking through all objects of all libraries once more, which takes 0.25 s."""
    atexit.register(gc.freeze)
