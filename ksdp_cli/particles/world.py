"""The world of a run: the processes (ranks) that move one cloud together. Each rank holds all positions.

Results do not depend on the number of ranks: shares are joined in order, and a maximum is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

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
            "start again with --resume, on any number of ranks: the run continues from its last checkpoint",
        )


class World(Protocol):
    """``rank`` is the number of this process, ``size`` that of all processes, ``local`` that of those on its host,
    among which ``place`` is its number.

    All ranks must call `join`, `join_pieces`, `total`, `largest` and `decide` together; these raise `Lost`.
    """

    rank: int
    size: int
    local: int
    place: int

    def join(self, whole: NDArray[np.generic], ends: Sequence[int]) -> None:
        """Fill ``whole``, in C order, on every rank; before, rank r has only ``whole[ends[r]:ends[r + 1]]``."""
        ...

    def join_pieces(self, pieces: Tensor, mine: Tensor) -> None:
        """Fill ``pieces`` (rank, ..), contiguous, with each rank's ``mine`` (..); on a card once it comes to that."""
        ...

    def total(self, values: NDArray[np.float64]) -> None:
        """Replace ``values``, a contiguous array, by their sum over ranks. The sums must be exact in float64, so that
        their order changes no bit."""
        ...

    def fetch(self, tensor: Tensor) -> NDArray[np.floating]:
        """A tensor on the host. Raises `Lost` where a card waits for a rank that has ended."""
        ...

    def largest(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the maximum over ranks of each entry; NaN if any rank has NaN."""
        ...

    def decide(self, value: Value) -> Value:
        """Return the value of rank 0 on every rank, for decisions by a clock or a signal."""
        ...

    def first(self) -> bool:
        """Whether this rank is the first to call this, so that one of the remaining ranks reports an error."""
        ...

    def close(self) -> None:
        """Disconnect at the end of a run."""
        ...


class Alone:
    """A world of one process."""

    rank, size, local, place = 0, 1, 1, 0

    def join(self, whole: NDArray[np.generic], ends: Sequence[int]) -> None:
        return

    def join_pieces(self, pieces: Tensor, mine: Tensor) -> None:
        pieces[0] = mine

    def total(self, values: NDArray[np.float64]) -> None:
        return

    def fetch(self, tensor: Tensor) -> NDArray[np.floating]:
        host: NDArray[np.floating] = tensor.cpu().numpy()
        return host

    def largest(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        return values

    def decide(self, value: Value) -> Value:
        return value

    def first(self) -> bool:
        return True

    def close(self) -> None:
        return


def ends_of(n: int, size: int) -> list[int]:
    """Ends of the shares of ``n`` items: rank r has the items [ends[r], ends[r + 1])."""
    return [n * rank // size for rank in range(size + 1)]


def share_of(n: int, world: World) -> tuple[int, int]:
    """The share [low, high) of ``n`` items of this rank, a function of n, rank and size alone."""
    return n * world.rank // world.size, n * (world.rank + 1) // world.size
