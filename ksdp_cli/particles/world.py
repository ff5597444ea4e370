"""The world of a run: the processes that move one cloud together, each of which holds all of its positions.

Results do not depend on their number: shares are joined in order, and a maximum is exact.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from numpy.typing import NDArray

Value = TypeVar("Value")


class World(Protocol):
    """``rank`` of this process among ``size``. Every call but `bounds` is one that all ranks make together."""

    rank: int
    size: int

    def bounds(self, n: int) -> tuple[int, int]:
        """The share [low, high) of ``n`` things that is this rank's, a function of n, rank and size alone."""
        ...

    def gather(self, part: NDArray[Any]) -> NDArray[Any]:
        """The ranks' arrays joined along the first axis, in the order of ranks: the same on every rank."""
        ...

    def largest(self, values: NDArray[Any]) -> NDArray[Any]:
        """The maximum over ranks of each number, NaN where one of them is."""
        ...

    def decide(self, value: Value) -> Value:
        """The value of rank 0, on every rank: for what a clock or a signal decides."""
        ...


class Alone:
    """One process."""

    rank, size = 0, 1

    def bounds(self, n: int) -> tuple[int, int]:
        return 0, n

    def gather(self, part: NDArray[Any]) -> NDArray[Any]:
        return part

    def largest(self, values: NDArray[Any]) -> NDArray[Any]:
        return values

    def decide(self, value: Value) -> Value:
        return value
