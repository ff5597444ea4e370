"""Where the first box of parabolic chemistry in free space lies: around a cloud, and what it has left behind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..particles.mesh.nested import FULL

#: Largest number of modes an axis, by dimension: 1 GiB a grid at an oversampling of 2.
MOST = {2: 4096, 3: 240}
#: Least number of modes of the shortest axes of a stretched box, by dimension, and the largest stretch: what joins the
#: boxes takes its square in memory, 0.5 GB.
LEAST, LONGEST = {2: 64, 3: 24}, 192
#: Half the cloud's extent over the side of the first box: above it the boxes are enlarged, to `MARGIN` times the
#: extent.
OUTGROWN, MARGIN = FULL / 2, 1.25
#: Ratio of the modes of a cube to those of a stretched box above which the first box is stretched.
WORTH = 4.0
Axes = Sequence[NDArray[np.floating]]
#: Smallest and largest coordinates (2, d) of a cloud.
Ends = NDArray[np.float64]


@dataclass(frozen=True)
class Place:
    """The first box: about ``centre`` (d,), with the sides 2 ``width`` times ``stretch`` (d,) [length].

    A periodic box has the side ``width``.
    """

    centre: NDArray[np.float64]
    width: float
    stretch: tuple[int, ...]

    @property
    def limits(self) -> NDArray[np.float64]:
        """How far from the centre a cloud may reach, by axis (d,)."""
        return OUTGROWN * (2.0 * self.width) + (np.array(self.stretch) - 1.0) * self.width

    def holds(self, ends: Ends) -> bool:
        """Whether a cloud with these ends is well inside."""
        return bool((np.abs(ends - self.centre) <= self.limits).all())


def first_box(axes: Axes, way: Ends, delta: float, old: Place | None = None, stretches: bool = True) -> Place:
    """The first box for a cloud that has been on its ``way`` so far: c that it has left stays where it is.

    It is a cube, or stretched where that saves most of the modes. ``old`` is the box that the cloud outgrew.
    """
    dim = len(axes)
    ends, margin = ends_of(axes), MARGIN if old else 1.0
    centre, extents = ends.mean(0), ends[1] - ends[0]
    least = max(8.0 * delta, 1e-6)
    cube = Place(centre, max(margin * float(extents.max()), old.width if old else least), (1,) * dim)
    worth = WORTH
    half = margin * extents / 2
    whole = np.array([np.minimum(way[0], centre - half), np.maximum(way[1], centre + half)])
    sides = whole[1] - whole[0]
    if not cube.holds(way):
        side = MARGIN * float(sides.max())
        cube = Place(_ahead(whole, ends, np.full(dim, side)), side / (2.0 * FULL), cube.stretch)
        worth = 1.0
    if not stretches:
        return cube
    width = max(float(sides.min()), least)
    stretch = tuple(_whole(side / (2.0 * width) + 1.0 - FULL) for side in sides)
    modes, most = math.prod(stretch), (MOST[dim] / LEAST[dim]) ** dim
    if modes > most or max(stretch) > LONGEST or worth * modes > (cube.width / width) ** dim:
        return cube
    return Place(_ahead(whole, ends, 2.0 * width * (np.array(stretch) - 1.0 + FULL)), width, stretch)


def ends_of(axes: Axes) -> Ends:
    return np.array([[float(axis.min()) for axis in axes], [float(axis.max()) for axis in axes]])


def _whole(ratio: float) -> int:
    """The next of 1, 2, 3, 4, 6, 8, 12, .. from ``ratio`` on, so that a long box is not laid anew often."""
    power: int = 2 ** max(0, math.ceil(math.log2(ratio) - 1e-9))
    return power * 3 // 4 if power >= 4 and ratio <= power * 3 / 4 else power


def _ahead(whole: Ends, cloud: Ends, sides: NDArray[np.float64]) -> NDArray[np.float64]:
    """Centre (d,) of a region with ``sides`` (d,) around ``whole``, with what is left where the ``cloud`` goes to."""
    spare = sides - (whole[1] - whole[0])
    behind, ahead = cloud[0] - whole[0], whole[1] - cloud[1]
    share = np.where(behind + ahead > 0, ahead / np.where(behind + ahead > 0, behind + ahead, 1.0), 0.5)
    return np.asarray(whole[0] - share * spare + sides / 2)
