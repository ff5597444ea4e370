"""The contract of an initial cloud: particle i of a seed is the same point, whichever part of the cloud is drawn."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..base.params import Params
from ..errors import ConfigError

#: Positions (n, d) in float32, or in float64 for a cloud so far from the origin that float32 would round it.
Positions = NDArray[np.floating[Any]]
#: A centre with a larger coordinate is added in float64.
FAR = 1e3


class InitialCloud(Protocol):
    """A law of initial particles in the dimensions ``dims``.

    A class with parameters declares them in ``Params``, a pydantic model of numbers or texts with defaults, and its
    constructor takes their values; without ``Params`` the constructor takes no argument. A law with a known E|X|^2
    returns it from ``second_moment(dim)`` [length^2], one with a known chemical returns it from
    ``chemical(mu, chi, M, eps, k)``, a function of the coordinates. ``placed(u, dim)`` returns the particles (n, dim),
    float32 and row i of ``u[i]``, at the points ``u`` (n, dim + 1) of the unit cube, of this law if they are uniform
    there; `--sampling quiet` needs it, and shifts its Sobol points by the random numbers of step 2 of the
    case's stream.
    """

    @property
    def dims(self) -> tuple[int, ...]: ...

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Positions:
        """Return particles ``start`` to ``start + n`` of the cloud of (``seed``, ``stream``): (n, dim) float32."""
        ...


class Centred(Params):
    """Parameters of a law with a centre."""

    x0: float = Field(0.0, description="centre along x [length]")
    y0: float = Field(0.0, description="centre along y [length]")
    z0: float = Field(0.0, description="centre along z, in 3D [length]")

    def moved(self, x: Positions) -> Positions:
        """Move ``x`` (n, d), drawn around the origin, to the centre; may work in place.

        Raises `ConfigError` for z0 in 2D.
        """
        dim = x.shape[1]
        if dim == 2 and self.z0:
            raise ConfigError(f"z0 = {self.z0:g} in two dimensions", "drop --z0, or use --dim 3")
        centre = (self.x0, self.y0, self.z0)[:dim]
        if max(map(abs, centre)) > FAR:
            return np.asarray(x + np.asarray(centre))
        if any(centre):  # adding 0 would turn -0 into 0
            x += np.asarray(centre, np.float32)
        return x

    def squared(self) -> float:
        """|centre|^2: what the centre adds to E|X|^2."""
        return self.x0**2 + self.y0**2 + self.z0**2


def around(radius: NDArray[np.float64], u: NDArray[np.float64]) -> Positions:
    """Points (n, d) at the distances ``radius`` (n,) from the origin, in random directions from uniform numbers ``u``.

    ``u`` is (n, 1) in the plane, for the angle, and (n, 2) in space, for angle and height.
    """
    angle, out = 2.0 * np.pi * u[:, 0], np.empty((len(u), u.shape[1] + 1), np.float32)
    if u.shape[1] == 2:
        height = 2.0 * u[:, 1] - 1.0
        out[:, 2] = radius * height
        radius = radius * np.sqrt(1.0 - height**2)
    out[:, 0], out[:, 1] = radius * np.cos(angle), radius * np.sin(angle)
    return out
