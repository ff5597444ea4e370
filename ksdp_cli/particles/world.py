"""The world of a run: the processes that move one cloud together, each of which holds all of its positions.

Results do not depend on their number: shares are joined in order, and a maximum is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from ..errors import ResourceError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

Value = TypeVar("Value")


class Lost(ResourceError):
    """Another process of the world has ended or cannot be reached."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"another rank of this run has ended or cannot be reached ({reason})",
            "start it again with --resume: it goes on from the last checkpoint, on any number of ranks",
        )


class World(Protocol):
    """``rank`` of this process among ``size``, of which ``local`` are on its host, where it is number ``place``.

    `join`, `join_pieces`, `largest` and `decide` are calls that all ranks make together; they raise `Lost`.
    """

    rank: int
    size: int
    local: int
    place: int

    def join(self, whole: NDArray[np.generic], ends: Sequence[int]) -> None:
        """Fill ``whole``, an array in C order, of which rank r holds ``whole[ends[r]:ends[r + 1]]``, on every rank."""
        ...

    def join_pieces(self, pieces: Tensor, mine: Tensor) -> None:
        """Fill ``pieces`` (rank, ..), contiguous, with each rank's ``mine`` (..); on a card once it comes to that."""
        ...

    def fetch(self, tensor: Tensor) -> NDArray[np.floating]:
        """A tensor on the host. Raises `Lost` where a card waits for a rank that has ended."""
        ...

    def largest(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """The maximum over ranks of each number, NaN where one of them is."""
        ...

    def decide(self, value: Value) -> Value:
        """The value of rank 0, on every rank: for what a clock or a signal decides."""
        ...

    def first(self) -> bool:
        """Whether no other rank has called this yet: for ranks that are left, of which one shall speak."""
        ...

    def close(self) -> None:
        """Leave the others, at the end of a run."""
        ...


class Alone:
    """One process."""

    rank, size, local, place = 0, 1, 1, 0

    def join(self, whole: NDArray[np.generic], ends: Sequence[int]) -> None:
        return

    def join_pieces(self, pieces: Tensor, mine: Tensor) -> None:
        pieces[0] = mine

    def fetch(self, tensor: Tensor) -> NDArray[np.floating]:
        found: NDArray[np.floating] = tensor.cpu().numpy()
        return found

    def largest(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        return values

    def decide(self, value: Value) -> Value:
        return value

    def first(self) -> bool:
        return True

    def close(self) -> None:
        return


def ends_of(n: int, size: int) -> list[int]:
    """Where the shares of ``n`` things begin and end: rank r has [ends[r], ends[r + 1])."""
    return [n * rank // size for rank in range(size + 1)]


def share_of(n: int, world: World) -> tuple[int, int]:
    """The share [low, high) of ``n`` things that is this rank's, a function of n, rank and size alone."""
    return n * world.rank // world.size, n * (world.rank + 1) // world.size
