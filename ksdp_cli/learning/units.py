"""The origin and the unit of length in which a network sees particles.

Weights start, and move by steps, that suit numbers of size 1. Clouds in micrometres, or far from the origin, are given
to the network in their own unit, so that a training does not depend on the unit and the origin of its clouds.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

#: The source's length is a power of the first, and the clouds' over the source's a power of the second, so that usual
#: clouds are seen as they are.
STEP, APART = 8.0, 64.0


@dataclass(frozen=True)
class Units:
    """``length`` and ``origin`` (d,), empty for 0. `standardise` maps to the network's numbers, `restore` back."""

    length: float = 1.0
    origin: tuple[float, ...] = ()

    @property
    def trivial(self) -> bool:
        """Whether the network sees particles as they are."""
        return self.length == 1 and not any(self.origin)

    def standardise(self, x: NDArray[np.floating]) -> NDArray[np.float32]:
        """``x`` (..., d) as the network sees it."""
        if self.trivial:
            return np.asarray(x, np.float32)
        numbers: NDArray[np.float32] = ((x - np.array(self.origin or 0.0)) / self.length).astype(np.float32)
        return numbers

    def restore(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inverse of `standardise`."""
        return x if self.trivial else (x * self.length + np.array(self.origin or 0.0)).astype(np.float32)

    def as_json(self) -> dict[str, float | list[float]]:
        return {"length": self.length, "origin": list(self.origin)}


#: Particles as they are.
IDENTITY = Units()


def units_of(source: NDArray[np.floating], clouds: Iterable[NDArray[np.floating]] | None = None) -> tuple[Units, Units]:
    """The units of a ``source`` (n, d), and of ``clouds`` (n, d), by default the same.

    The first has the nearest length to twice the source's spread along an axis, 1 for the uniform ball, and the nearest
    origin, in whole lengths, to its mean; of one point, the length is of the clouds' spread. In the second the moved
    and stretched source, where a training of the residual forms starts, is as near to the clouds as whole lengths
    allow.
    """
    mean, spread = _mean_and_spread([source])
    middle, wide = (mean, spread) if clouds is None else _mean_and_spread(clouds)
    size = spread or wide  # a source of one point has the clouds' length
    length = STEP ** round(math.log(2 * size, STEP)) if size > 0 else 1.0
    origin = _whole(mean, length)
    before = Units(length, tuple(origin.tolist()))
    if clouds is None:
        return before, before
    longer = APART ** round(math.log(wide / spread, APART)) if wide > 0 < spread else 1.0
    after = _whole(middle - longer * (mean - origin), longer * length)
    return before, Units(longer * length, tuple(after.tolist()))


def _whole(x: NDArray[np.float64], length: float) -> NDArray[np.float64]:
    """``x`` to whole lengths, without a negative zero."""
    whole: NDArray[np.float64] = length * np.round(x / length) + 0.0
    return whole


def _mean_and_spread(clouds: Iterable[NDArray[np.floating]]) -> tuple[NDArray[np.float64], float]:
    """The mean (d,) of all particles of ``clouds`` (n, d), and their spread along an axis, in float64."""
    sums = [(len(x), x.mean(0, np.float64), x.var(0, dtype=np.float64)) for x in clouds]
    counts, means, variances = (np.array(column) for column in zip(*sums, strict=True))
    weights = counts[:, None] / counts.sum()
    mean = (weights * means).sum(0)
    return mean, math.sqrt((weights * (variances + (means - mean) ** 2)).sum() / len(mean))
