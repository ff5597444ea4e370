"""The paper's initial cloud: uniform on a ball, by default the unit ball at the origin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..base import rng
from .base import Centred

_PIECE = 1 << 16


class BallParams(Centred):
    radius: float = Field(1.0, gt=0, description="radius of the ball [length]")


#: The paper's unit ball at the origin.
UNIT = BallParams.model_validate({})


class Ball:
    """Uniform on |x - x0| <= radius, drawn in polar coordinates. The paper's section 4.1 uses the unit ball."""

    dims: tuple[int, ...] = (2, 3)
    Params = BallParams

    def __init__(self, params: BallParams = UNIT) -> None:
        self.params = params

    @property
    def page_law(self) -> str | None:
        """Name of the law in the report's script (``ball.js``) that draws the same particles, or None."""
        return "ball" if self.params == UNIT else None

    def second_moment(self, dim: int) -> float:
        return dim / (dim + 2) * self.params.radius**2 + self.params.squared()

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> NDArray[np.float32]:
        out = np.empty((n, dim), np.float32)
        for first in range(0, n, _PIECE):  # each piece stays in the cache
            piece = out[first : first + _PIECE]
            _fill(piece, rng.uniforms(seed, stream, 0, start + first, len(piece), dim))
        out *= np.float32(self.params.radius)
        return self.params.moved(out)

    def placed(self, u: NDArray[np.float64], dim: int) -> NDArray[np.float32]:
        out = np.empty((len(u), dim), np.float32)
        _fill(out, u)
        return self.params.moved(np.float32(self.params.radius) * out)


def _fill(out: NDArray[np.float32], u: NDArray[np.float64]) -> None:
    """Fill ``out`` (n, d) with points of the unit ball by the first d numbers of each row of ``u``."""
    angle = (2.0 * np.pi * u[:, 1]).astype(np.float32)
    if out.shape[1] == 2:
        radius = np.sqrt(u[:, 0]).astype(np.float32)
    else:
        height = 2.0 * u[:, 2] - 1.0
        r = np.cbrt(u[:, 0])
        out[:, 2] = r * height
        radius = (r * np.sqrt(1.0 - height**2)).astype(np.float32)
    out[:, 0] = radius * np.cos(angle)
    out[:, 1] = radius * np.sin(angle)
