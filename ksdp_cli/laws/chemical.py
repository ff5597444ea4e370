"""A chemistry with memory, without a run, for the laws of the second equation of (1).

These laws need its parameters eps, k, ``box`` and ``modes`` and its `field`; they use a periodic box of side `SIDE`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..chemistry.base import Facts, Grid, State
from ..initial.ball import Ball
from ..particles.problem import Problem

SIDE, J, MASS = 4.0, 200, 3.0
MODES = {2: 24, 3: 16}
NEEDED = {"eps", "k", "box", "modes"}


def known(problem: Problem) -> bool:
    """Whether the chemistry has memory, the parameters of these laws, and c away from the particles."""
    fields = set(problem.chemistry.Params.model_fields)
    return problem.chemistry.memory and fields >= NEEDED and hasattr(problem.chemistry, "field")


class Box:
    """The chemistry of ``problem`` for 200 particles ``x`` with total mass `MASS`, with this k and steps eps /
    ``memory``."""

    def __init__(self, problem: Problem, k: float, memory: float) -> None:
        self.dim, self.eps, self.k, self.memory = problem.config.dim, eps_of(problem), k, memory
        self.dt, n = self.eps / memory, 2 * MODES[self.dim]
        self.x = 0.8 * Ball().draw(J, self.dim, 5).astype(np.float64) + 0.1
        params = problem.chemistry.Params(eps=self.eps, k=k, box=SIDE, modes=MODES[self.dim])
        facts = Facts(self.dim, J, MASS, 1.0, self.dt, 0.0, 1e-6, "zero", kernel=problem.kernel, dtype="float64")
        self.chemistry: Any = problem.chemistry(params, facts)
        self.grid = Grid([SIDE * (np.arange(n) / n - 0.5)] * self.dim)

    def start(self) -> State:
        return self.chemistry.start(self.x)  # type: ignore[no-any-return]

    def steps(self, state: State, count: int, x: Cloud | None = None) -> State:
        """Make ``count`` steps with the particles at ``x``."""
        for _ in range(count):
            state = self.chemistry.advance(state, self.x if x is None else x, self.dt)
        return state

    def c(self, state: State) -> NDArray[np.float64]:
        """c on a grid of the box with two points for each mode."""
        return np.asarray(self.chemistry.field(state, self.x, self.grid), np.float64)

    def q(self) -> list[NDArray[np.float64]]:
        """Wave vectors of the grid, an axis each, as `numpy.fft.fftn` orders them; 0 for those without a partner."""
        n = self.grid.shape[0]
        one: NDArray[np.float64] = 2.0 * math.pi / SIDE * np.fft.fftfreq(n, 1.0 / n).astype(np.float64)
        one[n // 2] = 0.0
        return [one.reshape([-1 if axis == a else 1 for a in range(self.dim)]) for axis in range(self.dim)]

    def integral(self, values: NDArray[np.float64]) -> float:
        """Integral over the box of ``values`` on the grid."""
        return float(values.mean()) * SIDE**self.dim


def eps_of(problem: Problem) -> float:
    """eps of the first case."""
    params = problem.cases[0].chemistry_params
    assert params is not None  # of a chemistry that is `known`
    return float(params.model_dump()["eps"])
