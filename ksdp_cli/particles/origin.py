"""A moving origin: positions relative to a point O(t) that follows the flow.

Floating-point numbers near 0 are dense, so a cloud far from the fixed origin diffuses correctly in float32 too.
Equation (8) for X = O(t) + x has the velocity v(O + x, t) - O'(t); attraction depends on differences and is the same.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..config import SimulateConfig
from ..errors import ConfigError, NumericalError
from .problem import Case, Problem
from .quiet import initial_positions

#: Steps between two nodes of the path. The path only has to stay near the cloud.
STRIDE = 16


class MovingOrigin:
    """O(t) of one case: it starts at the mean of the initial cloud, follows the flow, and is linear between nodes.

    The nodes are `STRIDE` steps of dt apart, from t0 on. Each follows from the one before by the classical Runge-Kutta
    method of order 4, so that they do not depend on the snapshots or on the end of the run. Raises `NumericalError` if
    a node is not finite.
    """

    def __init__(self, config: SimulateConfig, case: Case, start: NDArray[np.float64]) -> None:
        self._case = case
        span = STRIDE * config.dt
        count = math.ceil(config.T / span) + 2
        self._times = config.t0 + span * np.arange(count)
        self._nodes = np.empty((count, len(start)))
        self._nodes[0] = start
        for k in range(1, count):
            self._nodes[k] = self._carried(self._nodes[k - 1], self._times[k - 1], span)
        if not np.isfinite(self._nodes).all():
            raise NumericalError(f"the flow moves the origin{case.place} to infinity", "use --origin fixed")

    def at(self, t: float) -> NDArray[np.float64]:
        """O(t), (d,)."""
        return np.array([np.interp(t, self._times, axis) for axis in self._nodes.T])

    def velocity(self, t: float, dt: float) -> NDArray[np.float64]:
        """Mean velocity (d,) of the origin from ``t`` to ``t + dt``."""
        return (self.at(t + dt) - self.at(t)) / dt

    def _carried(self, o: NDArray[np.float64], t: float, h: float) -> NDArray[np.float64]:
        with np.errstate(over="ignore", invalid="ignore"):
            a = self._v(o, t)
            b = self._v(o + h / 2 * a, t + h / 2)
            c = self._v(o + h / 2 * b, t + h / 2)
            d = self._v(o + h * c, t + h)
            return np.asarray(o + h / 6 * (a + 2 * b + 2 * c + d))

    def _v(self, o: NDArray[np.float64], t: float) -> NDArray[np.float64]:
        return np.asarray(np.asarray(self._case.flow.velocity(o[None], t), np.float64)[0])


def moving_origin(problem: Problem, case: Case) -> MovingOrigin | None:
    """The origin of a case of ``problem``, computed once; None for a fixed origin."""
    c = problem.config
    if c.origin == "fixed":
        return None
    key = case.number, c.T
    if key not in problem.origins:
        cloud = initial_positions(problem, case)
        problem.origins[key] = MovingOrigin(c, case, np.asarray(cloud, np.float64).mean(0))
    return problem.origins[key]


def require_origin(problem: Problem) -> None:
    """Raise `ConfigError` if the problem does not allow a moving origin."""
    if problem.config.origin == "fixed":
        return
    if problem.chemistry.memory:
        raise ConfigError(
            f"--origin moving with --chemistry {problem.config.chemistry}, whose grid does not move",
            "use --origin fixed, or --chemistry elliptic",
        )
    if problem.config.store_field:
        raise ConfigError("--origin moving with --store-field, whose grid does not move", "drop one of them")
