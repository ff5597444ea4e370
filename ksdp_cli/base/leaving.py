"""The end of a process."""

from __future__ import annotations

import atexit
import gc


def leave_at_once() -> None:
    """Let this process end without looking through all objects of all libraries once more, which takes 0.2 s.

    Nothing changes before its exit: a program that calls `main` and goes on keeps its collector.
    """
    atexit.register(gc.freeze)
