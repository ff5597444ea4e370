"""A uniform annulus in the plane; in space a flat ring with that cross-section."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..base import rng
from ..errors import ConfigError
from .base import Centred, Positions, around


class AnnulusParams(Centred):
    inner: float = Field(0.8, ge=0, description="inner radius [length]")
    outer: float = Field(1.0, gt=0, description="outer radius [length]")
    thickness: float = Field(0.2, ge=0, description="height along z, in 3D [length]")


class Annulus:
    """Uniform on inner <= r <= outer, and in 3D on |z| <= thickness / 2. Raises `ConfigError` for inner >= outer."""

    dims: tuple[int, ...] = (2, 3)
    Params = AnnulusParams

    def __init__(self, params: AnnulusParams) -> None:
        if params.inner >= params.outer:
            radii = f"inner = {params.inner:g} and outer = {params.outer:g}"
            raise ConfigError(radii, "use --inner less than --outer")
        self.params = params

    def second_moment(self, dim: int) -> float:
        p = self.params
        height = p.thickness**2 / 12 if dim == 3 else 0.0
        return (p.inner**2 + p.outer**2) / 2 + height + p.squared()

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Positions:
        return self.placed(rng.uniforms(seed, stream, 0, start, n, dim), dim)

    def placed(self, u: NDArray[np.float64], dim: int) -> Positions:
        p, out = self.params, np.zeros((len(u), dim), np.float32)
        out[:, :2] = around(np.sqrt(p.inner**2 + u[:, 0] * (p.outer**2 - p.inner**2)), u[:, 1:2])
        if dim == 3:
            out[:, 2] = p.thickness * (u[:, 2] - 0.5)
        return p.moved(out)
