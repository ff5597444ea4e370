"""The type of a compiled Triton program."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Program(Protocol):
    """A GPU program: ``program[grid](*arguments)`` runs one instance for each index of ``grid``."""

    def __getitem__(self, grid: tuple[int, ...]) -> Callable[..., object]: ...
