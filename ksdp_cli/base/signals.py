"""Stop long work by a signal, after it has saved its state."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import Interrupted
from .listener import Stop


class Flag:
    """Holds the number of the signal received, or None; ``in_use`` after the first poll."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.in_use = False

    def __call__(self) -> int | None:
        self.in_use = True
        return self.signal


class _AtOnce(KeyboardInterrupt):
    """A signal before the first poll; a KeyboardInterrupt, so that no ``except Exception`` catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


@contextmanager
def early_end() -> Iterator[None]:
    """Raise `Interrupted` for a signal that acts at once in the block."""
    try:
        yield
    except _AtOnce as end:
        number = end.number
        raise Interrupted(f"stopped by signal {number} before the first step; nothing is lost", number) from None


@contextmanager
def graceful(*signals: int) -> Iterator[Flag]:
    """Make ``signals`` (default SIGINT and SIGTERM) set a flag that long work polls.

    A second signal acts at once; so does the first before the first poll, since there is no state to save yet. Raises
    `Interrupted`.
    """
    stop = Flag()
    before: dict[int, Any] = {}

    def note(number: int, frame: object) -> None:
        stop.signal = number
        for other, handler in before.items():
            signal.signal(other, handler)
        if not stop.in_use:
            raise _AtOnce(number)

    for number in signals or (signal.SIGINT, signal.SIGTERM):
        before[int(number)] = signal.signal(number, note)
    try:
        with early_end():
            yield stop
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)


@contextmanager
def stop_or_sigint(stop: Stop | None) -> Iterator[Stop | None]:
    """Yield ``stop``, or a flag set by Ctrl-C if it is None: scripts and notebooks then save as the command line does.

    Yields None outside the main thread, and if the program handles SIGINT itself.
    """
    ours = threading.current_thread() is threading.main_thread()
    if stop is not None or not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield stop
        return
    with graceful(signal.SIGINT) as flag:
        yield flag
