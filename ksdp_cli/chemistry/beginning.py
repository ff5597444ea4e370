"""The chemical at the start, c_0: zero, the elliptic state, the exact one, a Gaussian, or what a store holds."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..base.parsing import number
from ..errors import ConfigError
from .base import Field

#: ``exact`` is the chemical of the initial cloud's own solution, which the cloud gives for each case.
WORDS = ("zero", "elliptic", "exact")
FORMS = "use zero, elliptic, exact, gaussian:MASS,WIDTH, or a store with c, as run.zarr or run.zarr@eps=1,t=0.1"
#: c at the faces of a stored grid, over its largest value, from which it is not known how it goes on.
CUT = 0.01


class Gaussian:
    """``mass`` of the chemical, with the standard deviation ``width`` on each axis, about the origin."""

    def __init__(self, mass: float, width: float) -> None:
        self.mass, self.width = mass, width

    def __call__(self, axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        r2 = sum((axis * axis for axis in axes[1:]), axes[0] * axes[0])
        height = self.mass / (2.0 * math.pi * self.width**2) ** (len(axes) / 2)
        return np.asarray(height * np.exp(-r2 / (2.0 * self.width**2)))


class StoredField:
    """c of one frame: ``values`` on a regular grid with these ``axes``, cubic splines between, and 0 beyond.

    ``path`` names it, ``digest`` tells its values from others. Raises `ConfigError` where c does not end on the grid.
    """

    def __init__(self, path: str, axes: Sequence[NDArray[np.float64]], values: NDArray[np.float32]) -> None:
        self.path, self.axes, self.values = path, axes, values.astype(np.float64)
        self.digest = hashlib.sha256(np.ascontiguousarray(values, "<f4").data).hexdigest()
        top = float(np.abs(self.values).max())
        ends = [float(np.abs(self.values.take((0, -1), axis)).max()) for axis in range(values.ndim)]
        if max(ends) > CUT * top:
            raise ConfigError(
                f"c of {path} is {max(ends) / top:.2g} of its largest value at the edge of its grid, and 0 beyond",
                "store it in a larger box, as --field-side 8",
            )

    def __call__(self, axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        from scipy.ndimage import map_coordinates

        places = [
            (np.asarray(axis) - own[0]) / (own[1] - own[0]) if len(own) > 1 else np.asarray(axis) * 0.0
            for axis, own in zip(axes, self.axes, strict=True)
        ]
        return np.asarray(map_coordinates(self.values, places, order=3, mode="constant"))


def beginning(given: str | StoredField) -> str | Field:
    """c_0 by its text, or a stored one. Raises `ConfigError` for a text that is none."""
    if not isinstance(given, str):
        return given
    if given in WORDS:
        return given
    name, _, values = given.partition(":")
    parts = values.split(",")
    if name != "gaussian" or len(parts) != 2:
        raise ConfigError(f"c0 = {given!r}", FORMS)
    mass, width = (number(part) for part in parts)
    if width <= 0:
        raise ConfigError(f"c0 = {given!r} has no width", FORMS)
    return Gaussian(mass, width)
