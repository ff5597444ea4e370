"""Free space by nested boxes: sides L, 4 L, 16 L, .. with the same number of modes.

Box l carries the Gaussian band exp(-q^2 s_(l-1)^2) - exp(-q^2 s_l^2) of the field, s_l = 0.12 L 4^l, the first one all
above its band and the last one all that is left. The step of a mode knows nothing of other modes, so each box keeps a
recursion of its own; periodic images are 4^(boxes - 1) L away, for the price of a box a factor 4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .modes import Box, Modes

#: Ratio of the sides of boxes, and width of the first band over the side of the first box.
RATIO, WIDTH = 4, 0.12
#: Order of the splines and oversampling, by the relative error of the force that they leave, measured on random clouds.
COUPLING = {
    2: ((7.5e-4, 4, 2.0), (4e-4, 6, 1.5), (5e-5, 6, 2.0), (0.0, 8, 2.0)),
    3: ((2.4e-3, 4, 2.0), (1.2e-3, 6, 1.5), (1.7e-4, 6, 2.0), (0.0, 8, 2.0)),
}
#: Relative error of the force by periodic images: this times (half the cloud's width / side)^d.
IMAGE = {2: math.pi, 3: 4.2}


@dataclass(frozen=True)
class Sizes:
    """What `choose` settles: ``side`` of the first box, ``count`` modes an axis, ``boxes``, splines; and its errors."""

    side: float
    count: int
    boxes: int
    order: int
    over: float
    image_error: float
    delta_error: float


def choose(
    dim: int, width: float, delta: float, accuracy: float, reach: float = math.inf, side: float | None = None
) -> Sizes:
    """Sizes for a cloud ``width`` across, a Gaussian blob of width ``delta`` and a relative error of the force.

    ``reach`` is how far c spreads in the run, 8 sqrt(4 T / eps) at most: boxes beyond it have no images. A given
    ``side`` makes one periodic box.
    """
    _, order, over = next(row for row in COUPLING[dim] if row[0] <= accuracy)
    first = side or 2.0 * width
    count = 2 * math.ceil(first / (math.pi * delta) * math.sqrt(math.log(1.0 / accuracy)))
    boxes, image = 1, _image(dim, width, first)
    while side is None and image > accuracy and first * RATIO ** (boxes - 1) < reach + width:
        boxes += 1
        image = _image(dim, width, first * RATIO ** (boxes - 1))
    if side is not None or first * RATIO ** (boxes - 1) >= reach + width:
        image = 0.0
    return Sizes(first, count, boxes, order, over, image, math.exp(-((math.pi * count * delta / first / 2) ** 2)))


def _image(dim: int, width: float, side: float) -> float:
    return IMAGE[dim] * (0.5 * width / side) ** dim


class Nested:
    """The field of all boxes about ``centre``; ``delta`` > 0 smooths it by exp(-q^2 delta^2 / 4), a Gaussian blob."""

    def __init__(self, centre: Sequence[float], sizes: Sizes, delta: float = 0.0, threads: int | None = None) -> None:
        self.sizes, self.boxes = sizes, []
        widths = [WIDTH * sizes.side * RATIO**level for level in range(sizes.boxes - 1)]
        for level in range(sizes.boxes):
            inner = widths[level - 1] if level else 0.0
            outer = widths[level] if level < len(widths) else math.inf

            def band(q2: NDArray[np.float64], inner: float = inner, outer: float = outer) -> NDArray[np.float64]:
                kept = np.exp(-q2 * inner**2) - (np.exp(-q2 * outer**2) if math.isfinite(outer) else 0.0)
                return kept * np.exp(-q2 * delta**2 / 4)

            self.boxes.append(
                Box(centre, sizes.side * RATIO**level, sizes.count, band, sizes.order, sizes.over, threads)
            )

    def zeros(self) -> list[Modes]:
        return [box.zeros() for box in self.boxes]

    def advanced(
        self, field: list[Modes], axes: Sequence[NDArray[Any]], mass: float, memory: float, k: float
    ) -> list[Modes]:
        """The field after a step of eps / ``memory`` with the particles at ``axes``: new arrays."""
        return [
            box.advanced(modes, box.density(axes, mass), memory, k)
            for box, modes in zip(self.boxes, field, strict=True)
        ]

    def at(self, field: list[Modes], axes: Sequence[NDArray[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """c (n,) and grad c (d, n) at positions given axis by axis."""
        value, gradient = np.zeros(axes[0].size), np.zeros((len(axes), axes[0].size))
        for box, modes in zip(self.boxes, field, strict=True):
            box.add(modes, axes, value, gradient)
        return value, gradient

    def mass(self, field: list[Modes]) -> float:
        """Mass of the chemical: the zero mode of the largest box."""
        last = self.boxes[-1]
        return float(field[-1].flat[0].real) * last.side**last.dim
