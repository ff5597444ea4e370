"""The flow of Arnold, Beltrami and Childress."""

from __future__ import annotations

from typing import Any

from ksdp_cli.plugin import Field, Params, namespace


class ABCParams(Params):
    A: float = Field(1.0, description="amplitude of the part along x and y that varies with z [length / time]")
    B: float = Field(1.0, description="amplitude of the part along y and z that varies with x [length / time]")
    C: float = Field(1.0, description="amplitude of the part along z and x that varies with y [length / time]")
    wavenumber: float = Field(1.0, gt=0, description="wave number of all three parts [1 / length]")


class ABC:
    """v = (A sin z + C cos y, B sin x + A cos z, C sin y + B cos x), with coordinates times the wave number.

    Divergence-free, and parallel to its own curl. Dombre et al., J. Fluid Mech. 167 (1986) 353.
    """

    dims = (3,)
    Params = ABCParams

    def __init__(self, params: ABCParams, dim: int) -> None:
        self.params = params

    def velocity(self, x: Any, t: float) -> Any:
        xp, p = namespace(x), self.params
        sine, cosine = xp.sin(p.wavenumber * x), xp.cos(p.wavenumber * x)
        v = xp.empty_like(x)
        v[:, 0] = p.A * sine[:, 2] + p.C * cosine[:, 1]
        v[:, 1] = p.B * sine[:, 0] + p.A * cosine[:, 2]
        v[:, 2] = p.C * sine[:, 1] + p.B * cosine[:, 0]
        return v
