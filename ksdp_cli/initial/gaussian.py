"""A Gaussian cloud."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..base import rng
from .base import Centred, Positions


class GaussianParams(Centred):
    width: float = Field(0.5, gt=0, description="standard deviation along each axis [length]")


class Gaussian:
    """Density proportional to exp(-|x - x0|^2 / (2 width^2))."""

    dims: tuple[int, ...] = (2, 3)
    Params = GaussianParams

    def __init__(self, params: GaussianParams) -> None:
        self.params = params

    def second_moment(self, dim: int) -> float:
        return dim * self.params.width**2 + self.params.squared()

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Positions:
        x = rng.normals(seed, stream, 0, start, n, dim, np.float32)
        return self.params.moved((np.float32(self.params.width) * x).astype(np.float32, copy=False))

    def placed(self, u: NDArray[np.float64], dim: int) -> Positions:
        from scipy.special import ndtri

        return self.params.moved((self.params.width * ndtri(u[:, :dim])).astype(np.float32))
