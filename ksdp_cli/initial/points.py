"""A finite set of points as an initial law: a balanced bootstrap of its rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Smallest number of particles in one shuffle, so that a set of few points needs few shuffles.
ROUND = 1 << 16


class Points:
    """The law that gives each row of ``rows`` (K, d) the same weight; ``label`` names their origin in warnings.

    The first K particles of a (seed, stream) are the rows in random order, each once; the next K are the rows in
    another order, and so on. More than K particles are thus a balanced bootstrap, in which all rows appear equally
    often (Davison, Hinkley and Schechtman, Biometrika 73 (1986) 555).
    """

    def __init__(self, rows: NDArray[np.float32], label: str = "points") -> None:
        self.rows, self.label = np.asarray(rows, np.float32), label
        self.count, self.dims = len(rows), (rows.shape[1],)

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> NDArray[np.float32]:
        orders = max(1, ROUND // self.count)
        length, parts = orders * self.count, []
        for block in range(start // length, -(-(start + n) // length)):
            generator = np.random.default_rng([seed, stream, block])
            order = generator.permuted(np.tile(np.arange(self.count), (orders, 1)), axis=1).ravel()
            parts.append(order[max(0, start - block * length) : start + n - block * length])
        return self.rows[np.concatenate(parts)] if parts else self.rows[:0]

    def doubts(self, n: int) -> list[str]:
        """A warning if ``n`` exceeds the number of rows."""
        if n <= self.count:
            return []
        return [f"{self.label} has {self.count} points, so {n} particles use each about {n / self.count:.3g} times"]
