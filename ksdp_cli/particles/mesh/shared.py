"""An outer box on the nodes of the inner one, so that particles are spread and read once for all boxes.

The outer box needs few modes, since its band ends at the scale of the inner box, and all particles are inside of the
inner box. So its modes of the density are sums over the inner nodes, and its field is a spline there:

    rho_q = sum_k grid_k exp(-i q (x_k - low)) / s(q),    coefficient_k = sum_q alpha_q exp(i q (x_k - low)) / s(q)^*

with s the spline's transform, which is known for every q. One matrix an axis.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .modes import Box, Modes
from .splines import Grid


class Outer:
    """``box`` seen on the nodes of ``inner``."""

    def __init__(self, box: Box, inner: Box) -> None:
        self.box = box
        splines = inner.splines
        self.forward = []
        for axis, q in enumerate(box.q):
            x = inner.low[axis] - box.low[axis] + splines.h * np.arange(inner.nodes)
            turns = q.ravel() * (splines.h / (2 * math.pi))
            symbol = np.sinc(turns) ** splines.order * np.exp(-2j * math.pi * turns * (splines.order / 2 - 1))
            self.forward.append(np.exp(-1j * np.outer(q.ravel(), x)) / symbol[:, None])
        twice = np.full(self.forward[-1].shape[0], 2.0)
        twice[0] = 1.0
        self._last = np.conj(self.forward[-1]) * twice[:, None]

    def density_of(self, grid: Grid, mass: float, particles: int) -> Modes:
        """Modes of the density that the inner splines have deposited."""
        last = self.forward[-1]
        modes: NDArray[Any] = grid @ last.real.T + 1j * (grid @ last.imag.T)
        for axis, matrix in enumerate(self.forward[:-1]):
            modes = applied(matrix, modes, axis)
        modes *= mass / particles / self.box.side**self.box.dim
        modes.flat[0] = mass / self.box.side**self.box.dim
        return modes

    def coefficients(self, modes: Modes) -> Grid:
        """Spline coefficients on the inner nodes of the outer box's part of the field."""
        part: NDArray[Any] = self.box.part(modes)
        for axis, matrix in enumerate(self.forward[:-1]):
            part = applied(matrix.conj().T, part, axis)
        return np.asarray(part.real @ self._last.real - part.imag @ self._last.imag)


def applied(matrix: NDArray[Any], values: NDArray[Any], axis: int) -> NDArray[Any]:
    """``matrix`` times ``values`` along an axis."""
    return np.ascontiguousarray(np.moveaxis(np.tensordot(matrix, values, (1, axis)), 0, axis))
