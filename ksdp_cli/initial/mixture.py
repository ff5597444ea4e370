"""Gaussian bumps of equal weight, at equal distances from a centre."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..base import rng
from ..errors import ConfigError
from .base import Centred, Positions


class MixtureParams(Centred):
    bumps: int = Field(2, ge=2, le=1000, description="number of bumps: any from 2 on in 2D, 2 or 4 in 3D [1]")
    distance: float = Field(1.0, ge=0, description="distance of each bump from the centre [length]")
    width: float = Field(0.25, gt=0, description="standard deviation of a bump along each axis [length]")


class Mixture:
    """Two bumps on the x axis, the corners of a regular polygon in the plane, or of a tetrahedron in space."""

    dims: tuple[int, ...] = (2, 3)
    Params = MixtureParams

    def __init__(self, params: MixtureParams) -> None:
        self.params = params

    def second_moment(self, dim: int) -> float:
        p = self.params
        return dim * p.width**2 + p.distance**2 + p.squared()

    def corners(self, dim: int) -> NDArray[np.float64]:
        """Directions (bumps, dim) of the bumps. Raises `ConfigError` in space unless there are 2 or 4."""
        n = self.params.bumps
        if dim == 3 and n == 4:
            return np.asarray(np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(3.0))
        if dim == 3 and n != 2:
            raise ConfigError(f"bumps = {n} in three dimensions", "use --bumps 2, or 4 for a tetrahedron")
        angle = 2.0 * np.pi * np.arange(n) / n
        corners = np.zeros((n, dim))
        corners[:, 0], corners[:, 1] = np.cos(angle), np.sin(angle)
        return corners

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Positions:
        x = rng.normals(seed, stream, 0, start, n, dim, np.float64)
        return self._bumps(x, rng.uniforms(seed, stream, 1, start, n, 1)[:, 0])

    def placed(self, u: NDArray[np.float64], dim: int) -> Positions:
        from scipy.special import ndtri

        return self._bumps(ndtri(u[:, :dim]), u[:, dim])

    def _bumps(self, x: NDArray[np.floating], u: NDArray[np.float64]) -> Positions:
        """Standard normal ``x`` (n, d) as particles, each of the bump that ``u`` (n,) in (0, 1) chooses."""
        p, corners = self.params, self.corners(x.shape[1])
        return p.moved((p.width * x + p.distance * corners[(u * p.bumps).astype(np.int64)]).astype(np.float32))
