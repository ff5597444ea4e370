"""No flow."""

from __future__ import annotations

from typing import Any

from ..base.arrays import Array, namespace
from ..base.params import Params


class NoFlow:
    """v = 0, equation (2)."""

    dims = (2, 3)
    Params = Params

    def __init__(self, params: Any, dim: int) -> None:
        self.params = params

    def velocity(self, x: Array, t: float) -> Array:
        return namespace(x).zeros_like(x)
