"""The contract of a transition solver: permutations gamma_r of (14), a batch of data sets at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Matching:
    """The answer of a transition solver for B data sets of N points.

    ``permutation`` (B, N) int64: x[b, i] is matched to y[b, permutation[b, i]]. ``value`` (B,) float64: the mean
    squared distance, (14) before its minimum over theta. ``status``: one word on how the solve ended. ``gap`` (B,): a
    proven bound of value minus optimum, or None where the solver proves nothing. ``prices``: duals u (B, N) of the rows
    and v (B, N) of the columns, u_i + v_j <= |x_i - y_j|^2 with equality on matched pairs, or None where the solver has
    none.
    """

    permutation: NDArray[np.int64]
    value: NDArray[np.float64]
    status: str
    gap: NDArray[np.float64] | None = None
    prices: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


class TransitionSolver(Protocol):
    """Minimises sum_i |x_i - y_gamma(i)|^2 over permutations gamma.

    ``exact``: whether the answer is the optimum. ``devices``: where it runs. Constructed with its own options as
    keyword arguments, all with defaults, and ``seed``. One that sets ``iterative = True`` solves sub-problems of ``M``
    rows and takes the keywords ``M, iterations, tolerance, step, literal`` too, see `IterativeLP`. One that sets
    ``takes_prices = True`` also takes the keyword ``prices`` (B, N), the column prices of the `Matching` whose
    permutation is ``start``, and returns prices. One that has "cuda" in ``devices`` is constructed with
    ``device="cuda"`` where the training runs on a GPU.
    """

    exact: ClassVar[bool]
    devices: ClassVar[tuple[str, ...]]
    iterative: ClassVar[bool] = False
    takes_prices: ClassVar[bool] = False

    def solve(
        self, x: NDArray[np.floating], y: NDArray[np.floating], start: NDArray[np.int64] | None = None
    ) -> Matching:
        """Match ``x`` (B, N, d) to ``y`` (B, N, d) from the permutations ``start`` (B, N), the identity if None.

        Raises `NumericalError` where an exact solver cannot certify its answer.
        """
        ...


def matching_value(
    x: NDArray[np.floating], y: NDArray[np.floating], permutation: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean squared distance (B,) of x (B, N, d) to y (B, N, d) under permutations (B, N), in float64."""
    matched = np.take_along_axis(y, permutation[..., None], axis=-2)
    difference = x.astype(np.float64) - matched
    return np.asarray((difference**2).sum(-1).mean(-1))
