"""Particles of the exact spreading solution in the plane, `ksdp_cli.exact.self_similar`."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ..base import rng
from ..base.params import Params
from ..errors import ConfigError
from ..exact.self_similar import SelfSimilar, self_similar
from .base import Positions, around

#: c at points, one array of coordinates for each axis.
Chemical = Callable[[Sequence[NDArray[np.float64]]], NDArray[np.float64]]
#: Largest relative difference of parameters that count as equal, for example 12.566 and 4 pi.
AGREE = 1e-4


class SelfSimilarParams(Params):
    pull: float = Field(4 * math.pi, gt=0, description="chi M / mu of the solution [1]")
    inertia: float = Field(0.0, ge=0, description="eps mu of the solution; 0: elliptic [1]")
    age: float = Field(0.1, gt=0, description="mu times the time since all mass was at the origin [length^2]")


class OwnChemical:
    """c of a solution with inertia > 0, times ``unit`` (mu / chi).

    ``mass`` is its integral; c is below 1e-7 of its largest value outside the ``radius``.
    """

    def __init__(self, solution: SelfSimilar, params: SelfSimilarParams, unit: float) -> None:
        self.solution, self.age, self.unit = solution, params.age, unit
        self.mass = unit * params.pull * params.age / params.inertia
        self.radius = 4.0 * math.sqrt(4.0 * params.age / params.inertia)

    def __call__(self, axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.asarray(self.solution.chemical(np.sqrt(sum(axis * axis for axis in axes)), self.age) * self.unit)


class SelfSimilarCloud:
    """The self-similar solution of mass M = ``pull`` mu / chi. In a run with this M, E|X|^2 is proportional to time.

    With ``--c0 exact`` the run also begins with its chemical, and c(0, t) is constant. Raises `ConfigError` for a mass
    without such a solution: 8 pi mu / chi and more at inertia = 0.
    """

    dims: tuple[int, ...] = (2,)
    Params = SelfSimilarParams

    def __init__(self, params: SelfSimilarParams) -> None:
        self.params = params

    @cached_property
    def solution(self) -> SelfSimilar:
        return self_similar(self.params.inertia, M=self.params.pull)

    def chemical(self, mu: float, chi: float, M: float, eps: float, k: float) -> Chemical:
        """Return c of the solution at its age, as a function of coordinates.

        Raises `ConfigError` if a problem with these parameters has another solution.
        """
        own = self.params
        pairs = {"chi M / mu": (chi * M / mu, own.pull), "eps mu": (eps * mu, own.inertia), "k": (k, 0.0)}
        for name, (value, expected) in pairs.items():
            if abs(value - expected) > AGREE * max(abs(value), abs(expected)):
                raise ConfigError(
                    f"c0 = 'exact' with {name} = {value:.10g}, but the initial cloud has {expected:.10g}",
                    "use --pull chi M / mu, --inertia eps mu and k = 0",
                )
        return OwnChemical(self.solution, own, mu / chi)

    def second_moment(self, dim: int) -> float:
        return self.solution.second_moment(self.params.age)

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Positions:
        return self.placed(rng.uniforms(seed, stream, 0, start, n, 2), dim)

    def placed(self, u: NDArray[np.float64], dim: int) -> Positions:
        return around(self.solution.radii(u[:, 0], self.params.age), u[:, 1:2])
