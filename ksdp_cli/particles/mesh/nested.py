"""Free space by nested boxes: sides L, 4 L, 16 L, .. about one centre.

Box l represents the band `low`(q^2 s_(l-1)^2) - `low`(q^2 s_l^2) of the field, with s_l = 0.08 L 4^l; the first box has
everything above its band and the last box the rest. The step of a mode is independent of other modes, so each box makes
its own; periodic images are 4^(boxes - 1) L away. Outer boxes need only the modes of their band, and use the splines of
the first box while the cloud is inside it.

A cloud that is long along an axis has boxes that are stretched along it, the outer ones less and less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..world import World
from .modes import Box, Modes, resized
from .shared import HELD, Shared, coarse_modes

#: Ratio of the sides of consecutive boxes; width of the first band over the side of the first box.
RATIO, WIDTH = 4, 0.08
#: Largest share of the first box along its shortest axes for the cloud; the rest keeps the images off.
FULL = 0.6
#: Number of terms of a band's edge. With one, box l still contains s_l^2 Lap c outside its window, and periodic images
#: give 3 to 8 % of the force if c spreads as far as a box is wide. With three it is s_l^6 Lap^3 c, below 1e-3.
FLAT = 3
#: Relative error of the force, order of the splines and oversampling, measured on random clouds.
COUPLING = {
    2: ((7.5e-4, 4, 2.0), (4e-4, 6, 1.5), (5e-5, 6, 2.0), (0.0, 8, 2.0)),
    3: ((2.4e-3, 4, 2.0), (1.2e-3, 6, 1.5), (1.7e-4, 6, 2.0), (0.0, 8, 2.0)),
}
#: Relative error of the force by periodic images, over (half the cloud's width / side)^d.
IMAGE = {2: math.pi, 3: 4.2}


@dataclass(frozen=True)
class Sizes:
    """The result of `choose`: ``side`` of the first box, ``count`` modes an axis, ``boxes``, splines, and errors.

    ``side`` and ``count`` are those of the shortest axes, and ``stretch`` (d,) times as large along each one. ``outer``
    is the number of modes an axis of the other boxes (None: ``count``); ``accuracy`` is that of their field on the
    first box's splines.
    """

    side: float
    count: int
    boxes: int
    order: int
    over: float
    image_error: float
    delta_error: float
    outer: int | None = None
    accuracy: float = 1e-4
    stretch: tuple[int, ...] = ()

    @property
    def widest(self) -> int:
        """The largest stretch."""
        return max(self.stretch, default=1)

    @property
    def modes(self) -> str:
        """The number of modes of the first box, as "56" an axis or "112 x 56"."""
        return " x ".join(str(self.count * s) for s in self.stretch) if self.widest > 1 else str(self.count)

    @property
    def extent(self) -> str:
        """The sides of the first box, as `modes`."""
        return " x ".join(f"{self.side * s:.3g}" for s in self.stretch) if self.widest > 1 else f"{self.side:.3g}"


def stretched(stretch: Sequence[int], level: int) -> tuple[int, ...]:
    """The ``stretch`` (d,) of the box ``level``, which leaves as much room around the cloud, in its sides, as the first
    one."""
    room = 1.0 - FULL
    return tuple(math.ceil((s - room) / RATIO**level + room - 1e-9) for s in stretch)


def choose(
    dim: int,
    width: float,
    delta: float,
    accuracy: float,
    reach: float = math.inf,
    side: float | None = None,
    count: int | None = None,
    boxes: int | None = None,
    most: int | None = None,
    stretch: tuple[int, ...] = (),
) -> Sizes:
    """Choose sizes for a cloud of this ``width``, a Gaussian blob of width ``delta`` and a relative error of the force.

    The last box is wider than ``width + reach``, where ``reach`` is the side of the region into which c spreads, 8
    sqrt(4 T / eps): then c has no images. If it is infinite, the last box only makes the force of the images small.
    ``side`` gives one periodic box. ``count`` and ``boxes`` override the choice, and the errors are those of these
    numbers. A box with a ``stretch`` (d,) is for a cloud of this ``width`` along the shortest axes. There are at most
    ``most``^d modes.
    """
    _, order, over = next(row for row in COUPLING[dim] if row[0] <= accuracy)
    first, digits = side or 2.0 * width, math.sqrt(math.log(1.0 / accuracy))
    if count is None:
        count = 2 * math.ceil(first / (math.pi * delta) * digits)
        if most:
            count = min(count, 2 * int(most / math.prod(stretch) ** (1.0 / dim) / 2))
    long = width + first * (max(stretch, default=1) - 1)

    def top(n: int) -> float:
        return first * float(RATIO ** (n - 1))

    def cube(n: int) -> bool:
        return max(stretched(stretch, n - 1), default=1) == 1

    def holds(n: int) -> bool:
        pairs = zip(stretched(stretch, n - 1), stretch, strict=True)
        return top(n) >= reach + width and all(top(n) * b >= reach + width + first * (a - 1) for b, a in pairs)

    if side is not None:
        boxes = 1
    elif boxes is None:
        boxes = 1
        while not holds(boxes) and (
            math.isfinite(reach) or _image(dim, long, top(boxes)) > accuracy or not cube(boxes)
        ):
            boxes += 1
    image = 0.0 if side is not None or holds(boxes) else _image(dim, long, top(boxes))
    outer = 2 * math.ceil(_end(accuracy) * RATIO / (2 * math.pi * WIDTH)) + 2
    remainder = math.exp(-((math.pi * count * delta / first / 2) ** 2))
    return Sizes(first, count, boxes, order, over, image, remainder, outer, accuracy, stretch)


def low(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the outer boxes at u = q^2 s^2: exp(-u) (1 + u + .. + u^(FLAT - 1) / (FLAT - 1)!)."""
    total = term = np.ones_like(u)
    for power in range(1, FLAT):
        term = term * u / power
        total = total + term
    return np.exp(-u) * total


def _end(accuracy: float) -> float:
    """The value of q s at which `low` falls to ``accuracy``."""
    u = np.linspace(0.0, 60.0, 601)
    return math.sqrt(float(u[np.argmax(low(u) < accuracy)]))


def _image(dim: int, width: float, side: float) -> float:
    return IMAGE[dim] * (0.5 * width / side) ** dim


class Nested:
    """The field of all boxes about ``centre``; ``delta`` > 0 smooths it by exp(-q^2 delta^2 / 4), a Gaussian blob.

    In free space a box acts only inside its own window, and outside the last box the field is 0. By default a single
    box is periodic.
    """

    def __init__(
        self,
        centre: Sequence[float],
        sizes: Sizes,
        delta: float = 0.0,
        threads: int | None = None,
        periodic: bool | None = None,
    ) -> None:
        self.sizes, self.boxes = sizes, []
        self.periodic = sizes.boxes == 1 if periodic is None else periodic
        outer_count = sizes.outer or sizes.count
        coarse = coarse_modes(sizes.accuracy, outer_count, RATIO) if sizes.boxes > 1 else 0
        over = max(sizes.over, coarse / sizes.count)
        widths = [WIDTH * sizes.side * RATIO**level for level in range(sizes.boxes - 1)]
        for level in range(sizes.boxes):
            inner = widths[level - 1] if level else 0.0
            outer = widths[level] if level < len(widths) else math.inf

            def band(q2: NDArray[np.float64], inner: float = inner, outer: float = outer) -> NDArray[np.float64]:
                return low(q2 * inner**2) - (low(q2 * outer**2) if math.isfinite(outer) else 0.0)

            count = outer_count if level else sizes.count
            side, more = sizes.side * RATIO**level, sizes.over if level else over
            stretch = stretched(sizes.stretch, level)
            self.boxes.append(Box(centre, side, count, band, sizes.order, more, threads, delta, stretch))
        self._shared = Shared(self.boxes[0], self.boxes[1:], coarse, sizes.accuracy) if coarse else None

    def zeros(self) -> list[Modes]:
        return [box.zeros() for box in self.boxes]

    def advanced(
        self,
        field: list[Modes],
        axes: Sequence[NDArray[np.floating]],
        mass: float,
        memory: float,
        k: float,
        world: World | None = None,
    ) -> list[Modes]:
        """The field after a step of eps / ``memory`` with the particles at ``axes``, which the ranks of a ``world``
        share out: new arrays."""
        return [
            box.advanced(modes, density, memory, k)
            for box, modes, density in zip(self.boxes, field, self.densities(axes, mass, world), strict=True)
        ]

    def densities(self, axes: Sequence[NDArray[np.floating]], mass: float, world: World | None = None) -> list[Modes]:
        """Modes of the density in each box."""
        first, grid = self.boxes[0], self._shared
        if grid is None or not self.holds(axes):
            return [box.density(axes, mass, world) for box in self.boxes]
        lowest = first.density_modes(axes, mass, max(first.count, grid.count), world)
        outer = grid.densities(_resized(lowest, grid.counts) * first.volume)
        for box, modes in zip(self.boxes[1:], outer, strict=True):
            modes /= box.volume
            modes.flat[0] = mass / box.volume
        return [_resized(lowest, first.counts), *outer]

    def at(
        self, field: list[Modes], axes: Sequence[NDArray[np.floating]]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return c (n,) and grad c (d, n) at positions ``axes``, one array (n,) for each axis."""
        value, gradient = np.zeros(axes[0].size), np.zeros((len(axes), axes[0].size))
        first, grid = self.boxes[0], self._shared
        if self.periodic or (grid is None and self.holds(axes)):
            first.add(field[0], axes, value, gradient)
        elif grid is not None and self.holds(axes):
            counts = first.shape(max(first.count, grid.count))
            part = _resized(first.part(field[0]), counts)
            outer = grid.field([box.part(modes) for box, modes in zip(self.boxes[1:], field[1:], strict=True)])
            part += _resized(outer, counts)
            first.read(part, axes, value, gradient)
        else:
            for box, modes in zip(self.boxes, field, strict=True):
                _add_inside(box, modes, axes, value, gradient)
        return value, gradient

    def holds(self, axes: Sequence[NDArray[np.floating]]) -> bool:
        """Whether all positions are in the part of the first box where it can represent the outer boxes."""
        first = self.boxes[0]
        return all(
            max(float(axis.max()) - middle, middle - float(axis.min())) <= (HELD + (stretch - 1) / 2) * first.side
            for axis, middle, stretch in zip(axes, first.low + np.array(first.sides) / 2, first.stretch, strict=True)
        )

    def mass(self, field: list[Modes]) -> float:
        """Mass of the chemical, from the zero mode of the largest box."""
        last = self.boxes[-1]
        return float(field[-1].flat[0].real) * last.volume


def _resized(modes: Modes, counts: Sequence[int]) -> Modes:
    """Change the numbers of modes of a real field to ``counts`` (d,): drop the highest ones or add zeros."""
    last = counts[-1] // 2 + 1
    if modes.shape[-1] == last:
        return modes
    for axis in range(modes.ndim - 1):
        modes = resized(modes, counts[axis], axis)
    more = last - modes.shape[-1]
    return np.pad(modes, [(0, 0)] * (modes.ndim - 1) + [(0, more)]) if more > 0 else modes[..., :last]


def _add_inside(
    box: Box,
    modes: Modes,
    axes: Sequence[NDArray[np.floating]],
    value: NDArray[np.float64],
    gradient: NDArray[np.float64],
) -> None:
    """Add a box's share at the positions inside its window."""
    ends = zip(axes, box.low, box.sides, strict=True)
    inside = np.logical_and.reduce([(axis >= low) & (axis < low + side) for axis, low, side in ends])
    if not inside.any():
        return
    points = [np.ascontiguousarray(axis[inside]) for axis in axes]
    some, slope = np.zeros(points[0].size), np.zeros((box.dim, points[0].size))
    box.add(modes, points, some, slope)
    value[inside] += some
    gradient[:, inside] += slope
