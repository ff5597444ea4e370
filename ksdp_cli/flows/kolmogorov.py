"""The Kolmogorov flow, a standard example of chaotic streamlines."""

from __future__ import annotations

import math

from pydantic import Field

from ..base.arrays import Array, namespace
from ..base.params import Params


class KolmogorovParams(Params):
    A: float = Field(100.0, description="flow amplitude [length / time]")


class Kolmogorov:
    """v = A (sin 2 pi z, sin 2 pi x, sin 2 pi y), equation (21). Divergence-free, period 1."""

    dims = (3,)
    Params = KolmogorovParams

    def __init__(self, params: KolmogorovParams, dim: int) -> None:
        self.params = params

    def velocity(self, x: Array, t: float) -> Array:
        xp = namespace(x)
        v: Array = self.params.A * xp.roll(xp.sin(2 * math.pi * x), 1, 1)
        return v
