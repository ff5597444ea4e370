"""Refinement of a Brownian increment by bridges: halving an interval never changes what was drawn before.

Given W(h), W(h / 2) is normal with mean W(h) / 2 and variance 2 mu h / 4 (Lévy's construction). The halves of interval
``index`` of level ``level`` use the normal numbers of node 2^level + index of a binary tree, each with its own key
(`rng.bridge_key`). An increment is therefore a function of (seed, case, step, particle, level, index) alone, and the
path does not depend on the order of refinements or on the steps taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Increment = NDArray[np.float64]


class Bridge:
    """The Brownian increments (J, d) of a step of length ``h`` and of its halves.

    ``whole`` is the increment of the step, of variance 2 mu h on each axis. ``normals(node)`` draws the standard normal
    numbers (J, d) of a node. The increments between the root and the last interval are kept, so that a walk from left
    to right draws each node once.
    """

    def __init__(self, whole: Increment, mu: float, h: float, normals: Callable[[int], NDArray[np.floating]]) -> None:
        self.mu, self.h, self.normals = mu, h, normals
        self._whole = whole
        #: For each level from 1 on: the number of a pair of halves, and both increments.
        self._pairs: list[tuple[int, Increment, Increment]] = []

    def increment(self, level: int, index: int) -> Increment:
        """The increment (J, d) of the interval [index, index + 1] h / 2^level, in float64.

        Two halves sum to their interval's increment up to rounding. Raises `ValueError` for an index out of range.
        """
        if not 0 <= index < 1 << level:
            raise ValueError(f"interval {index} of {1 << level}")
        parent = self._whole
        for depth in range(1, level + 1):
            number = index >> (level - depth)
            _, left, right = self._pair(depth, number >> 1, parent)
            parent = right if number & 1 else left
        return parent

    def _pair(self, depth: int, number: int, parent: Increment) -> tuple[int, Increment, Increment]:
        """The halves, at level ``depth``, of interval ``number`` of the level above, with increment ``parent``."""
        if len(self._pairs) < depth or self._pairs[depth - 1][0] != number:
            spread = 0.5 * math.sqrt(2.0 * self.mu * self.h / (1 << (depth - 1)))
            left = 0.5 * parent + spread * self.normals((1 << (depth - 1)) + number).astype(np.float64, copy=False)
            del self._pairs[depth - 1 :]
            self._pairs.append((number, left, parent - left))
        return self._pairs[depth - 1]
