"""Particles of the exact solution that blows up in space, `ksdp_cli.exact.collapse`, inside a cut."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..base import rng
from ..base.params import Params
from ..exact.collapse import Collapse
from .base import Positions, around


class CollapseParams(Params):
    life: float = Field(0.05, gt=0, description="mu t until the density diverges [length^2]")
    cut: float = Field(2.0, gt=0, description="radius of the cut [length]")


class CollapsingCloud:
    """The solution that blows up at ``life`` / mu. Run it in 3D with M = 16 pi cut^3 / (cut^2 + 2 life) mu / chi."""

    dims: tuple[int, ...] = (3,)
    Params = CollapseParams

    def __init__(self, params: CollapseParams) -> None:
        self.solution = Collapse(params.life, params.cut)

    def second_moment(self, dim: int) -> float:
        return self.solution.second_moment()

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Positions:
        return self.placed(rng.uniforms(seed, stream, 0, start, n, 3), dim)

    def placed(self, u: NDArray[np.float64], dim: int) -> Positions:
        return around(self.solution.radii(u[:, 0]), u[:, 1:3])
