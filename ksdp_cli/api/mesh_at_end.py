"""The mesh that parabolic chemistry needs in free space when a flow has drawn its cloud out, before the run."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..particles.case_run import facts
from ..particles.problem import Problem
from .field_grid import SPREAD, way_of

#: Ratio of the modes at the end to those at the start from which on a plan times a step with them.
MORE = 2


class MeshAtEnd:
    """The mesh for the paths of some particles in the flow alone, with the margin that ``--store-field`` has.

    ``grows`` is the ratio of its modes to those at the start.
    """

    def __init__(self, problem: Problem, cloud: Cloud) -> None:
        self.problem, self.cloud, config = problem, cloud, problem.config
        case = min(problem.cases, key=lambda one: one.kernel_args[0])
        self._facts = replace(facts(problem, case), c0="zero")
        make: Any = problem.chemistry  # with `forecast`
        self.chemistry = make(case.chemistry_params, self._facts)
        start = np.array([(axis.min(), axis.max()) for axis in cloud.T], np.float64)
        margin = SPREAD * math.sqrt(2.0 * max(config.mu) * config.T) * np.array([-1.0, 1.0])
        self.ends: NDArray[np.float64] = (way_of(problem, cloud) + margin).T
        self.sizes = self.chemistry.forecast(self.ends)
        self.grows: float = self._modes(self.sizes) / self._modes(self.chemistry.forecast(start.T))

    def doubt(self) -> str | None:
        """A warning if no mesh resolves delta there; or None."""
        config, sizes = self.problem.config, self.sizes
        if not self._facts.delta or sizes.delta_error <= 4.0 * config.accuracy or self.grows <= 1.0:
            return None
        sides = " x ".join(f"{side:.3g}" for side in self.ends[1] - self.ends[0])
        part = math.log(sizes.delta_error) / math.log(config.accuracy)
        wider = f"a --delta2 of {self._facts.delta**2 / part:.2g}, " if part > 1e-3 else ""
        return (
            f"by t = {config.t0 + config.T:.3g} the flow may draw the cloud out to {sides}, and {sizes.modes} modes, "
            f"the most, do not resolve delta = {self._facts.delta:.3g} there; use a smaller --T, {wider}or --box"
        )

    def seconds(self) -> float:
        """By how much longer a step takes at the end than at the start [s]."""
        span = np.maximum(np.ptp(self.cloud, axis=0), 1e-30)
        filled = self.ends[0] + (self.cloud - self.cloud.min(0)) / span * (self.ends[1] - self.ends[0])
        first, last = (self._timed(x.astype(self.cloud.dtype)) for x in (self.cloud, filled))
        return max(last - first, 0.0) * self.problem.scheme.order

    def _timed(self, x: Cloud) -> float:
        dt = self._facts.dt
        state = self.chemistry.advance(self.chemistry.start(x), x, dt)
        begin = time.perf_counter()
        state = self.chemistry.advance(state, x, dt)
        self.chemistry.gradient(state, x)
        return time.perf_counter() - begin

    def _modes(self, sizes: Any) -> float:
        return float(sizes.count**self._facts.dim * math.prod(sizes.stretch))


def mesh_at_end(problem: Problem, cloud: Cloud) -> MeshAtEnd | None:
    """The mesh at the end of a run from ``cloud`` (J, d); None where its size is not of the cloud."""
    sizes = problem.config.chemistry_params
    own = any(value for name in ("box", "modes", "boxes") for value in sizes.get(name, ()))
    return MeshAtEnd(problem, cloud) if hasattr(problem.chemistry, "forecast") and not own else None
