"""Particles of the exact spreading solution in the plane, `ksdp_cli.exact.self_similar`."""

from __future__ import annotations

import math
from functools import cached_property

from pydantic import Field

from ..base import rng
from ..base.params import Params
from ..exact.self_similar import SelfSimilar, self_similar
from .base import Positions, around


class SelfSimilarParams(Params):
    pull: float = Field(4 * math.pi, gt=0, description="chi M / mu of the solution [1]")
    inertia: float = Field(0.0, ge=0, description="eps mu of the solution; 0: elliptic [1]")
    age: float = Field(0.1, gt=0, description="mu times the time since all mass was at the origin [length^2]")


class SelfSimilarCloud:
    """The self-similar solution of mass M = ``pull`` mu / chi. In a run with this M, E|X|^2 is proportional to time.

    Raises `ConfigError` for a mass without such a solution: 8 pi mu / chi and more at inertia = 0.
    """

    dims: tuple[int, ...] = (2,)
    Params = SelfSimilarParams

    def __init__(self, params: SelfSimilarParams) -> None:
        self.params = params

    @cached_property
    def solution(self) -> SelfSimilar:
        return self_similar(self.params.inertia, M=self.params.pull)

    def second_moment(self, dim: int) -> float:
        return self.solution.second_moment(self.params.age)

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Positions:
        u = rng.uniforms(seed, stream, 0, start, n, 2)
        return around(self.solution.radii(u[:, 0], self.params.age), u[:, 1:])
