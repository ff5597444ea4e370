"""The contract of a transition solver: it computes the permutations gamma_r of (14) for a batch of data sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Matching:
    """The result of a transition solver for B data sets of N points.

    ``permutation`` (B, N) int64 matches x[b, i] to y[b, permutation[b, i]]. ``value`` (B,) float64 is the mean squared
    distance [length^2], the sum in (14). ``status`` is one word on how the solve ended. ``gap`` (B,) is a proven bound
    of value minus optimum, or None without a proof. ``prices`` are duals u (B, N) of the rows and v (B, N) of the
    columns, with u_i + v_j <= |x_i - y_j|^2 and equality on matched pairs, or None if the solver has no duals.
    """

    permutation: NDArray[np.int64]
    value: NDArray[np.float64]
    status: str
    gap: NDArray[np.float64] | None = None
    prices: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


class TransitionSolver(Protocol):
    """Minimises sum_i |x_i - y_gamma(i)|^2 over permutations gamma.

    ``exact`` says whether the result is the optimum, ``devices`` where the solver runs. The constructor takes ``seed``
    and the solver's options as keywords with defaults. With ``iterative = True`` the solver solves sub-problems of
    ``M`` rows, and its constructor also takes ``M, iterations, tolerance, step, literal`` (see `IterativeLP`). With
    ``takes_prices = True``, `solve` also takes the keyword ``prices`` (B, N), the column prices that belong to
    ``start``, and returns prices. With "cuda" in ``devices``, training on a GPU passes ``device="cuda"``.
    """

    exact: ClassVar[bool]
    devices: ClassVar[tuple[str, ...]]
    iterative: ClassVar[bool] = False
    takes_prices: ClassVar[bool] = False

    def solve(
        self, x: NDArray[np.floating], y: NDArray[np.floating], start: NDArray[np.int64] | None = None
    ) -> Matching:
        """Match ``x`` (B, N, d) to ``y`` (B, N, d), starting from permutations ``start`` (B, N), by default the
        identity.

        Raises `NumericalError` if an exact solver cannot prove its result.
        """
        ...


def matching_value(
    x: NDArray[np.floating], y: NDArray[np.floating], permutation: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Mean squared distance (B,) of x (B, N, d) to y (B, N, d) under permutations (B, N), in float64."""
    targets = np.take_along_axis(y, permutation[..., None], axis=-2)
    difference = x.astype(np.float64) - targets
    return np.asarray((difference**2).sum(-1).mean(-1))
