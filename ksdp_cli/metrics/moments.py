"""Means, second moments and radial distributions of a cloud.

Standard errors are those of n independent particles. For network samples that is what they are. Particles of one
simulation interact: the second moment of two simulations differs a little more than these errors say, and much more
near the blow-up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..shapes import Cloud
from .wasserstein import require_cloud


@dataclass(frozen=True)
class Moments:
    """``mean`` (d,) [length] and E|x|^2 [length^2] of a cloud of n particles, each with its standard error."""

    n: int
    mean: NDArray[np.float64]
    mean_se: NDArray[np.float64]
    second_moment: float
    second_moment_se: float

    def as_dict(self) -> dict[str, Any]:
        return {
            "n": self.n,
            "mean": self.mean.tolist(),
            "mean_se": self.mean_se.tolist(),
            "second_moment": self.second_moment,
            "second_moment_se": self.second_moment_se,
        }


def moments(x: Cloud) -> Moments:
    """Moments of ``x`` (n, d), summed in float64. Raises `DataError` for a cloud that is empty or not finite."""
    require_cloud(x)
    n = len(x)
    squares = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    root = math.sqrt(max(n - 1, 1))
    return Moments(
        n,
        x.mean(0, dtype=np.float64),
        x.std(0, dtype=np.float64) / root,
        float(squares.mean()),
        float(squares.std() / root),
    )


def moment_differences(a: Moments, b: Moments) -> dict[str, Any]:
    """a - b in units of its standard error: ``mean`` (a list, an entry an axis) and ``second_moment``; None for 0/0."""
    return {
        "mean": [_sigmas(*row) for row in zip(a.mean, a.mean_se, b.mean, b.mean_se, strict=True)],
        "second_moment": _sigmas(a.second_moment, a.second_moment_se, b.second_moment, b.second_moment_se),
    }


def _sigmas(a: float, a_se: float, b: float, b_se: float) -> float | None:
    spread = math.hypot(a_se, b_se)
    return (float(a) - float(b)) / spread if spread else None


def radial_distribution(x: Cloud, radii: ArrayLike) -> NDArray[np.float64]:
    """The fraction of ``x`` (n, d) with |x| <= r, for each of ``radii`` (k,) [length].

    Times M it is the mass m(r^2, t) of the radial problem. The standard error of a fraction p is sqrt(p (1 - p) / n).
    Raises `DataError` for a cloud that is empty or not finite.
    """
    require_cloud(x)
    squares = np.sort(np.einsum("ij,ij->i", x, x, dtype=np.float64))
    return np.searchsorted(squares, np.asarray(radii, np.float64) ** 2, side="right") / len(x)
