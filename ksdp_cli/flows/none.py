"""No flow."""

from __future__ import annotations

from ..base.arrays import Array, namespace
from ..base.params import Params as NoParams


class NoFlow:
    """v = 0, equation (2)."""

    dims = (2, 3)
    Params = NoParams

    def __init__(self, params: NoParams, dim: int) -> None:
        self.params = params

    def velocity(self, x: Array, t: float) -> Array:
        v: Array = namespace(x).zeros_like(x)
        return v
