"""A Brownian increment cut in halves, again and again, by bridges: what was drawn before never changes.

With W(h) given, W(h / 2) is normal about W(h) / 2 with variance 2 mu h / 4, independent of it (Lévy's construction).
The halves of the interval ``index`` of level ``level`` come from the normal numbers of node 2^level + index of a binary
tree, which have a key of their own (`rng.bridge_key`). So an increment is a function of (seed, case, step, particle,
level, index) alone: no order of refinements, and no step that was taken or not, can change the path.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Increment = NDArray[np.float64]


class Bridge:
    """The increments (J, d) of a step of length ``h``, and of its halves.

    ``whole`` is that of the step, of variance 2 mu h an axis. ``normals(node)`` draws the standard normal numbers
    (J, d) of a node. The path from the whole to the interval that was last asked for is kept, so that a walk from left
    to right draws each node once.
    """

    def __init__(self, whole: Increment, mu: float, h: float, normals: Callable[[int], NDArray[np.floating]]) -> None:
        self.mu, self.h, self.normals = mu, h, normals
        self._whole = whole
        #: By level from 1 on: number of a pair of halves, and the two.
        self._pairs: list[tuple[int, Increment, Increment]] = []

    def increment(self, level: int, index: int) -> Increment:
        """That of the interval [index, index + 1] h / 2^level, in float64; both halves of an interval sum to its own to
        rounding."""
        if not 0 <= index < 1 << level:
            raise ValueError(f"interval {index} of {1 << level}")
        parent = self._whole
        for depth in range(1, level + 1):
            here = index >> (level - depth)
            _, left, right = self._pair(depth, here >> 1, parent)
            parent = right if here & 1 else left
        return parent

    def _pair(self, depth: int, number: int, parent: Increment) -> tuple[int, Increment, Increment]:
        """The halves at level ``depth`` of interval ``number`` of the level above, whose increment is ``parent``."""
        if len(self._pairs) < depth or self._pairs[depth - 1][0] != number:
            spread = 0.5 * math.sqrt(2.0 * self.mu * self.h / (1 << (depth - 1)))
            left = 0.5 * parent + spread * self.normals((1 << (depth - 1)) + number).astype(np.float64, copy=False)
            del self._pairs[depth - 1 :]
            self._pairs.append((number, left, parent - left))
        return self._pairs[depth - 1]
