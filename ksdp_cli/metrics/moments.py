"""Means and second moments of a cloud, with their standard errors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..shapes import Cloud


@dataclass(frozen=True)
class Moments:
    """``mean`` (d,) and E|x|^2 [length^2] of a cloud, each with the standard error of n independent particles."""

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
    """Moments of ``x`` (n, d), summed in float64."""
    n = len(x)
    squares = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    root = np.sqrt(n)
    return Moments(
        n,
        x.mean(0, dtype=np.float64),
        x.std(0, dtype=np.float64) / root,
        float(squares.mean()),
        float(squares.std() / root),
    )
