"""Laminar flows along x whose speed depends on the distance from the x axis, equations (19) and (20)."""

from __future__ import annotations

from pydantic import Field

from ..base.arrays import Array, namespace
from ..base.params import Params


class LaminarParams(Params):
    A: float = Field(100.0, description="flow amplitude [length / time]")


class Laminar2D:
    """v = A (exp(-y^2), 0), equation (19). Divergence-free; it stretches the cloud into a V."""

    dims: tuple[int, ...] = (2,)
    Params = LaminarParams

    def __init__(self, params: LaminarParams, dim: int) -> None:
        self.params = params

    def velocity(self, x: Array, t: float) -> Array:
        xp = namespace(x)
        v: Array = xp.zeros_like(x)
        v[:, 0] = self.params.A * xp.exp(-(x[:, 1:] ** 2).sum(1))
        return v


class Laminar3D(Laminar2D):
    """v = A (exp(-y^2 - z^2), 0, 0), equation (20)."""

    dims = (3,)
