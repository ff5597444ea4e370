"""Signals that end long work after it has saved its state."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..errors import Interrupted
from .listener import Stop


class Flag:
    """Holds the number of the signal that asked for an end, or None; ``asked`` once long work has looked."""

    def __init__(self) -> None:
        self.signal: int | None = None
        self.asked = False

    def __call__(self) -> int | None:
        self.asked = True
        return self.signal


class _AtOnce(KeyboardInterrupt):
    """A signal before there is anything to save; a KeyboardInterrupt, so that no error handler catches it."""


@contextmanager
def graceful(*signals: int) -> Iterator[Flag]:
    """Make ``signals`` (default SIGINT and SIGTERM) set a flag that long work polls.

    A second one acts at once, and so does the first as long as nothing has looked: then nothing is at stake yet. Raises
    `Interrupted`.
    """
    stop = Flag()
    before: dict[int, Any] = {}

    def note(number: int, frame: object) -> None:
        stop.signal = number
        for known, handler in before.items():
            signal.signal(known, handler)
        if not stop.asked:
            raise _AtOnce

    for number in signals or (signal.SIGINT, signal.SIGTERM):
        before[int(number)] = signal.signal(number, note)
    try:
        yield stop
    except _AtOnce:
        which = stop.signal or int(signal.SIGINT)
        raise Interrupted(f"stopped by signal {which} before the first step; nothing is lost", which) from None
    finally:
        for known, handler in before.items():
            signal.signal(known, handler)


@contextmanager
def heard(stop: Stop | None) -> Iterator[Stop | None]:
    """``stop``, or Ctrl-C where none is given: a script or a notebook's cell then saves as the command line does.

    Nothing is listened to outside the main thread, nor where the program handles SIGINT itself.
    """
    ours = threading.current_thread() is threading.main_thread()
    if stop is not None or not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield stop
        return
    with graceful(signal.SIGINT) as flag:
        yield flag
