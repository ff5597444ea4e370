"""Adaptive steps: the steps of the configuration, halved if attraction or flow would move a particle too far.

Halved steps lie on the dyadic grid of the configured step, so that the Brownian path (`bridge`) does not depend on the
steps taken. The length of a step is a function of the state at its start alone: no step is rejected, and a resumed run
makes the same steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..base.shapes import Cloud
from .bridge import Bridge
from .preflight import FLOW_FRACTION, flow_rate
from .schemes.base import Scheme
from .stepper import Stepper


@dataclass
class Place:
    """Position within a configured step: ``offset`` of its 2^halvings parts are done.

    ``rate`` is the flow's max |grad v| at its start [1 / time]. ``taken`` counts the steps since the start of the run,
    ``finest`` is the largest level among them, ``shortest`` the length of the shortest [time; 0 before the first], and
    ``farthest`` the largest distance, along an axis, by which attraction moved a particle in one of them [length].
    """

    offset: int = 0
    rate: float = 0.0
    taken: int = 0
    finest: int = 0
    farthest: float = 0.0
    shortest: float = 0.0


class Halving:
    """The steps of one case, each the longest of h, h / 2, h / 4, ... on the dyadic grid with these limits:

    - attraction moves no particle along an axis by more than the fraction ``dt_fraction`` of delta;
    - the flow moves no particle by more than `FLOW_FRACTION` of its length scale, measured at 4096 particles at the
      start of the configured step;
    - there are at most ``halvings`` halvings, which may override the other limits.
    """

    def __init__(self, stepper: Stepper, scheme: Scheme) -> None:
        c = stepper.config
        self.stepper, self.scheme = stepper, scheme
        self.halvings, self.reach = c.halvings, c.dt_fraction * math.sqrt(stepper.case.kernel_args[0])
        self._bridge: tuple[int, Bridge] | None = None

    def advance(
        self, arrays: dict[str, NDArray[np.floating]], place: Place, t: float, dt: float, step: int
    ) -> dict[str, NDArray[np.floating]]:
        """Return the arrays after one more step within the configured step ``step`` from ``t`` to ``t + dt``.

        Advances ``place``; its offset is 0 after the last part. Raises the errors of `Stepper.step`.
        """
        units = 1 << self.halvings
        now = t + dt * (place.offset / units)
        if place.offset == 0:
            place.rate = flow_rate(self.stepper.case, self._sample(arrays["x"], now), now)
        speed, force = self.stepper.speed(arrays)
        level = self._level(place, dt, speed)
        h, x = dt / (1 << level), arrays["x"]
        noise = self._path(x.dtype, step, dt).increment(level, place.offset >> (self.halvings - level))
        new = self.stepper.step(self.scheme, arrays, now, h, noise.astype(x.dtype), force)
        place.offset = (place.offset + (units >> level)) % units
        place.taken, place.finest = place.taken + 1, max(place.finest, level)
        place.farthest = max(place.farthest, speed * h)
        place.shortest = min(place.shortest or h, h)
        return new

    def _sample(self, x: Cloud, t: float) -> NDArray[np.float64]:
        """Absolute positions at ``t`` of up to 4096 particles."""
        some, origin = x[:4096].astype(np.float64), self.stepper.origin
        return origin.at(t) + some if origin else some

    def _level(self, place: Place, dt: float, speed: float) -> int:
        """Number of halvings of the step ``dt`` if attraction moves particles at most at ``speed`` [length / time]."""
        low = self.halvings - ((place.offset & -place.offset).bit_length() - 1) if place.offset else 0
        parts = dt * max(speed / self.reach, place.rate / FLOW_FRACTION)  # number of parts that the limits need
        if not parts < 1 << self.halvings:  # or nan
            return self.halvings
        return max(low, math.ceil(math.log2(parts)) if parts > 1 else 0)

    def _path(self, dtype: DTypeLike, step: int, dt: float) -> Bridge:
        if self._bridge is None or self._bridge[0] != step:
            self._bridge = step, self.stepper.bridge(dtype, step, dt)
        return self._bridge[1]
