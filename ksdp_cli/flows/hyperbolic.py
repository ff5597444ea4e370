"""The hyperbolic flow of section 2.1: it stretches along x1 and compresses the other axes."""

from __future__ import annotations

from pydantic import Field

from ..base.arrays import Array, namespace
from ..base.params import Params


class HyperbolicParams(Params):
    A: float = Field(1.0, description="strain rate [1 / time]")


class Hyperbolic:
    """v = A (x1, -x_/(d-1)) with x_ = (x2, ..., xd). Divergence-free."""

    dims = (2, 3)
    Params = HyperbolicParams

    def __init__(self, params: HyperbolicParams, dim: int) -> None:
        self.params = params

    def velocity(self, x: Array, t: float) -> Array:
        v: Array = namespace(x).empty_like(x)
        v[:, 0] = self.params.A * x[:, 0]
        v[:, 1:] = -self.params.A / (x.shape[1] - 1) * x[:, 1:]
        return v
