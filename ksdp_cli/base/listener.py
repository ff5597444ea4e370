"""Callbacks of long work, the same for every verb."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from ..errors import KsdpWarning


class Progress(Protocol):
    """``progress(stage, done, total, note)``, some ten times a second at most."""

    def __call__(self, stage: str, done: int, total: int, note: str = "", /) -> None: ...


#: Receives a sentence.
Say = Callable[[str], None]
#: The number of the signal that asked for an end, or None.
Stop = Callable[[], int | None]


@dataclass(frozen=True)
class Listener:
    """``progress`` is told how far it is; ``stop`` may ask for an end, before which the state is saved; ``warn`` gets
    sentences on what may be wrong, ``tell`` on what to expect."""

    progress: Progress | None = None
    stop: Stop | None = None
    warn: Say | None = None
    tell: Say | None = None


def as_warning(message: str) -> None:
    """The default ``warn``: issues a `KsdpWarning` through Python's warnings."""
    warnings.warn(message, KsdpWarning, stacklevel=3)


def unheard(message: str) -> None:
    """Discards a warning that the caller has already received."""
