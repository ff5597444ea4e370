"""A point that moves with the flow, from which positions are counted: numbers near 0 are close to one another, so that
a cloud far away diffuses as it should, in float32 too.

Equation (8) for X = O(t) + x is the same but for the velocity, v(O + x, t) - O'(t): attraction depends on differences.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..config import SimulateConfig
from ..errors import ConfigError, NumericalError
from .problem import Case, Problem

#: Steps of a run between two nodes of the path: it need only stay near the cloud.
STRIDE = 16


class MovingOrigin:
    """O(t) of one case: the mean of the initial cloud, carried by the flow, and linear between nodes.

    The nodes lie at multiples of ``STRIDE`` steps of dt from t0 and are found one after the other (Runge and Kutta,
    order 4), so that they depend neither on the snapshots nor on the end of the run. Raises `NumericalError` where the
    flow carries it out of all numbers.
    """

    def __init__(self, config: SimulateConfig, case: Case, start: NDArray[np.float64]) -> None:
        self._case, self._t0 = case, config.t0
        span = STRIDE * config.dt
        count = math.ceil(config.T / span) + 2
        self._times = config.t0 + span * np.arange(count)
        self._nodes = np.empty((count, len(start)))
        self._nodes[0] = start
        for k in range(1, count):
            self._nodes[k] = self._carried(self._nodes[k - 1], self._times[k - 1], span)
        if not np.isfinite(self._nodes).all():
            raise NumericalError(f"the flow carries the origin{case.place} beyond all numbers", "use --origin fixed")

    def at(self, t: float) -> NDArray[np.float64]:
        """O(t), (d,)."""
        return np.array([np.interp(t, self._times, axis) for axis in self._nodes.T])

    def velocity(self, t: float, dt: float) -> NDArray[np.float64]:
        """The velocity (d,) at which the origin goes from O(t) to O(t + dt)."""
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
    """The origin of a case of ``problem``, None where positions count from 0."""
    c = problem.config
    if c.origin == "fixed":
        return None
    cloud = problem.initial.draw(c.J, c.dim, case.seed, stream=case.stream)
    return MovingOrigin(c, case, np.asarray(cloud, np.float64).mean(0))


def require_origin(problem: Problem) -> None:
    """Raise `ConfigError` where positions cannot count from a moving origin."""
    if problem.config.origin == "fixed":
        return
    if problem.chemistry.memory:
        raise ConfigError(
            f"--origin moving with --chemistry {problem.config.chemistry}, whose c lies on a grid that does not move",
            "use --origin fixed, or --chemistry elliptic",
        )
    if problem.config.store_field:
        raise ConfigError("--origin moving with --store-field, whose grid does not move", "leave one of them out")
