"""Steps of an adaptive length: those of the configuration, halved where attraction or flow would carry too far.

Steps lie on the dyadic grid of the whole step they are a part of, so that the Brownian path (`bridge`) is one and the
same whatever steps are taken. How long a step may be is a function of the state at its start alone: nothing is tried
and discarded, and a resumed run takes the same steps.
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
    """Within a whole step: ``offset`` of its 2^halvings parts are done, and ``rate`` is what the flow allows [1/time].

    ``taken`` steps were taken since the start of the run, the finest of them of level ``finest``, the shortest of them
    ``shortest`` long [time; 0 before the first]; ``farthest`` is the largest distance that attraction moved a particle
    in one of them along an axis [length].
    """

    offset: int = 0
    rate: float = 0.0
    taken: int = 0
    finest: int = 0
    farthest: float = 0.0
    shortest: float = 0.0


class Halving:
    """The steps of one case, each the longest of h, h / 2, h / 4, ... that lies on the grid of the whole step and is

    - so short that attraction moves no particle, along an axis, by more than ``fraction`` of delta,
    - for schemes of order 1 so short that the flow carries none over `FLOW_FRACTION` of its length scale, as seen at
      4096 particles at the start of the whole step;

    but none of more than ``halvings`` halvings.
    """

    def __init__(self, stepper: Stepper, scheme: Scheme) -> None:
        c = stepper.config
        self.stepper, self.scheme = stepper, scheme
        self.halvings, self.reach = c.halvings, c.dt_fraction * math.sqrt(stepper.case.kernel_args[0])
        self._bridge: tuple[int, Bridge] | None = None

    def advance(
        self, arrays: dict[str, NDArray[np.floating]], place: Place, t: float, dt: float, step: int
    ) -> dict[str, NDArray[np.floating]]:
        """The arrays after one more step within the whole step number ``step`` from ``t`` to ``t + dt``.

        ``place`` is moved on; its offset is 0 when the whole step is done. Raises as `Stepper.step`.
        """
        units = 1 << self.halvings
        now = t + dt * (place.offset / units)
        if place.offset == 0 and self.scheme.order == 1:
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
        """Where some particles are at ``t``."""
        here, origin = x[:4096].astype(np.float64), self.stepper.origin
        return origin.at(t) + here if origin else here

    def _level(self, place: Place, dt: float, speed: float) -> int:
        """How often the whole step of ``dt`` is halved for a particle as fast as ``speed``."""
        low = self.halvings - ((place.offset & -place.offset).bit_length() - 1) if place.offset else 0
        parts = dt * max(speed / self.reach, place.rate / FLOW_FRACTION)  # into which it must be cut
        if not parts < 1 << self.halvings:  # or not a number
            return self.halvings
        return max(low, math.ceil(math.log2(parts)) if parts > 1 else 0)

    def _path(self, dtype: DTypeLike, step: int, dt: float) -> Bridge:
        if self._bridge is None or self._bridge[0] != step:
            self._bridge = step, self.stepper.bridge(dtype, step, dt)
        return self._bridge[1]
