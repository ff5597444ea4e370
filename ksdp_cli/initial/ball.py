"""The paper's initial cloud: uniform on the unit ball centred at the origin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..base import rng

_PIECE = 1 << 16


class Ball:
    """Uniform on |x| <= 1, by polar coordinates; the paper, section 4.1."""

    dims: tuple[int, ...] = (2, 3)

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> NDArray[np.float32]:
        out = np.empty((n, dim), np.float32)
        for first in range(0, n, _PIECE):  # pieces that stay in the cache
            piece = out[first : first + _PIECE]
            u = rng.uniforms(seed, stream, 0, start + first, len(piece), dim)
            angle = (2.0 * np.pi * u[:, 1]).astype(np.float32)
            if dim == 2:
                radius = np.sqrt(u[:, 0]).astype(np.float32)
            else:
                height = 2.0 * u[:, 2] - 1.0
                r = np.cbrt(u[:, 0])
                piece[:, 2] = r * height
                radius = (r * np.sqrt(1.0 - height**2)).astype(np.float32)
            piece[:, 0] = radius * np.cos(angle)
            piece[:, 1] = radius * np.sin(angle)
        return out
