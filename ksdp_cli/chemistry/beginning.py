"""The initial chemical c_0: zero, the elliptic solution, that of an exact one, a Gaussian, or the field of a store."""

from __future__ import annotations

import copy
import hashlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..base.parsing import number
from ..errors import ConfigError
from .base import Field

#: ``exact`` is the chemical that the initial cloud itself knows.
WORDS = ("zero", "elliptic", "exact")
FORMS = "use zero, elliptic, exact, gaussian:MASS,WIDTH, or a store with c, as run.zarr or run.zarr@eps=1,t=0.1"
#: Largest |c| at the edge of a stored grid, relative to its maximum: above it the field is cut off.
CUT = 0.01


class Gaussian:
    """c = a Gaussian about the origin with total ``mass`` and standard deviation ``width`` [length] along each axis."""

    def __init__(self, mass: float, width: float) -> None:
        self.mass, self.width, self.radius = mass, width, 5.0 * width

    def __call__(self, axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        r2 = sum((axis * axis for axis in axes[1:]), axes[0] * axes[0])
        height = self.mass / (2.0 * math.pi * self.width**2) ** (len(axes) / 2)
        return np.asarray(height * np.exp(-r2 / (2.0 * self.width**2)))


class StoredField:
    """c of one stored frame: ``values`` on a regular grid ``axes``, interpolated by cubic splines.

    It is 0 outside the grid, or repeats itself where ``box``, the side of the grid if that is a periodic box, is that
    of the new run. ``path`` names the store; ``digest`` is the SHA-256 of the values.
    """

    def __init__(
        self, path: str, axes: Sequence[NDArray[np.float64]], values: NDArray[np.float32], box: float = 0.0
    ) -> None:
        self.path, self.axes, self.values, self.box = path, axes, values.astype(np.float64), box
        self.digest = hashlib.sha256(np.ascontiguousarray(values, "<f4").data).hexdigest()
        self.mode = "constant"
        self.radius = max(float(np.abs(nodes).max()) for nodes in axes)
        self.mass = float(self.values.sum()) * math.prod(
            float(nodes[1] - nodes[0]) if len(nodes) > 1 else 1.0 for nodes in axes
        )

    def within(self, box: float) -> StoredField:
        """Return this field for a periodic box of that side, 0 for free space.

        Raises `ConfigError` if it ends at the edge of its grid and is not small there (`CUT`).
        """
        if box and box == self.box:
            field = copy.copy(self)
            field.mode = "grid-wrap"
            return field
        top = float(np.abs(self.values).max())
        ends = [float(np.abs(self.values.take((0, -1), axis)).max()) for axis in range(self.values.ndim)]
        if max(ends) > CUT * top:
            raise ConfigError(
                f"c of {self.path} is {max(ends) / top:.2g} of its largest value at the edge of its grid, and 0 beyond",
                f"use --box {self.box:g}, its own" if self.box else "store it in a larger box, as --field-side 8",
            )
        return self

    def __call__(self, axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        from scipy.ndimage import map_coordinates

        indices = [
            (np.asarray(axis) - nodes[0]) / (nodes[1] - nodes[0]) if len(nodes) > 1 else np.asarray(axis) * 0.0
            for axis, nodes in zip(axes, self.axes, strict=True)
        ]
        return np.asarray(map_coordinates(self.values, indices, order=3, mode=self.mode))


def beginning(c0: str | StoredField) -> str | Field:
    """Parse the option ``c0``: one of `WORDS` or a `Field`. Raises `ConfigError` for any other text."""
    if not isinstance(c0, str):
        return c0
    if c0 in WORDS:
        return c0
    name, _, values = c0.partition(":")
    parts = values.split(",")
    if name != "gaussian" or len(parts) != 2:
        raise ConfigError(f"c0 = {c0!r}", FORMS)
    mass, width = (number(part) for part in parts)
    if width <= 0:
        raise ConfigError(f"c0 = {c0!r} has width {width:g}", FORMS)
    return Gaussian(mass, width)
