"""Callbacks of long computations, the same for every verb."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..errors import KsdpWarning


class Progress(Protocol):
    """Called as ``progress(stage, done, total, note)``, at most about ten times a second."""

    def __call__(self, stage: str, done: int, total: int, note: str = "", /) -> None: ...


#: Receives a sentence for the user.
Say = Callable[[str], None]
#: Returns the number of the signal that asks the work to stop, or None.
Stop = Callable[[], int | None]


@dataclass(frozen=True)
class Listener:
    """The callbacks of one verb: ``progress`` receives the progress; ``stop`` may end the work, which saves its state
    first; ``warn`` receives warnings, ``tell`` receives information."""

    progress: Progress | None = None
    stop: Stop | None = None
    warn: Say | None = None
    tell: Say | None = None


def as_warning(message: str) -> None:
    """Issue a `KsdpWarning` at the caller's line outside ksdp: the default ``warn``."""
    frame, level = sys._getframe(), 1
    while frame.f_back and str(frame.f_globals.get("__name__")).startswith("ksdp_cli."):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, KsdpWarning, stacklevel=level)


def discard(message: str) -> None:
    """Ignore a warning that the caller has already received."""
