"""Elliptic chemistry, eps = 0: c is a sum of the kernel's potentials; an engine computes its gradient at each step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from ..base.params import Params as Base
from ..base.shapes import Cloud
from ..particles.engines.choice import DriftEngine, make_engine
from .base import Facts, Grid, State

if TYPE_CHECKING:
    from .potential import Potential


class Params(Base):
    """No parameters: kernel and engine determine everything."""


class Elliptic:
    """grad c(X_j) = M / J sum_i g(r_ij^2) (X_i - X_j), equation (8).

    The state is empty. An adaptive engine keeps its own sizes and saves them by its own ``state``.
    """

    dims: ClassVar[tuple[int, ...]] = (2, 3)
    Params: ClassVar[type[BaseModel]] = Params
    kernel: ClassVar[str] = "blob"
    memory: ClassVar[bool] = False

    def __init__(self, params: Base, facts: Facts) -> None:
        self.facts = facts
        self.engine: DriftEngine | None = make_engine(
            facts.kernel,
            facts.kernel_args,
            facts.dim,
            facts.dtype,
            facts.particles,
            name=facts.engine,
            accuracy=facts.accuracy,
            device=facts.device,
            threads=facts.threads,
            world=facts.world,
        )

    def start(self, x: Cloud) -> State:
        return {}

    def advance(self, state: State, x: Cloud, dt: float) -> State:
        return state

    def gradient(self, state: State, x: Cloud, scale: float = 1.0) -> Cloud:
        assert self.engine is not None
        force: Cloud = scale * self.facts.mass / self.facts.particles * self.engine(x)
        return force

    def field(self, state: State, x: Cloud, grid: Grid) -> NDArray[np.float64]:
        """c = M / J sum_i K(|y - X_i|) at the points y of ``grid``, with the kernel's potential K, by direct
        summation."""
        facts, points = self.facts, grid.points()
        total = self._potential(points, x).at(points, x, facts.threads)
        return (facts.mass / facts.particles * total).reshape(grid.shape)

    def field_gradient(self, state: State, x: Cloud, grid: Grid) -> NDArray[np.float64]:
        """Return the gradient of `field` on the points of ``grid``, (d, x, y (, z)), by direct summation."""
        facts, points = self.facts, grid.points()
        total = self._potential(points, x).gradient_at(points, x, facts.threads)
        return (facts.mass / facts.particles * total).reshape(-1, *grid.shape)

    def _potential(self, points: list[NDArray[np.float64]], x: Cloud) -> Potential:
        """The kernel's potential for all distances between points and particles."""
        from .potential import Potential

        facts = self.facts
        ends = [(min(p.min(), a.min()), max(p.max(), a.max())) for p, a in zip(points, x.T, strict=True)]
        reach = math.hypot(*(float(high) - float(low) for low, high in ends))
        return Potential(facts.kernel, facts.kernel_args, facts.dim, reach)

    def report(self, state: State) -> dict[str, object]:
        assert self.engine is not None
        return self.engine.report()
