"""Whom long work talks to: one set of callbacks for every verb."""

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
    """What a verb does with a warning where no ``warn`` is given: a `KsdpWarning` of Python's."""
    warnings.warn(message, KsdpWarning, stacklevel=3)


def unheard(message: str) -> None:
    """For work whose warnings the caller has had already."""
