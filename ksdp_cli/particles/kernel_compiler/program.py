"""What Triton makes of a function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Program(Protocol):
    """A program of a GPU: ``program[grid](*arguments)`` runs it for each place of ``grid``."""

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., object]: ...
