"""Fixed particles: every mode of c tends to its elliptic state by r = (eps/dt) / (q^2 + k^2 + eps/dt) a step."""

from __future__ import annotations

import numpy as np

from ..particles.problem import Problem
from .base import Finding
from .chemical import Box, known

STEPS, K, MEMORY = 8, 0.5, 20.0


def holds(problem: Problem) -> bool:
    return known(problem)


def check(problem: Problem) -> Finding:
    """Compare all modes after 8 steps with those after one, times 1 + r + .. + r^7; relative to the largest."""
    box = Box(problem, K, MEMORY)
    once = box.steps(box.start(), 1)
    first, last = (np.fft.fftn(box.c(state)) for state in (once, box.steps(once, STEPS - 1)))
    r = MEMORY / (sum(q * q for q in box.q()) + K * K + MEMORY)
    expected = first * sum(r**power for power in range(STEPS))
    value = float(np.abs(last - expected).max() / np.abs(last).max())
    return Finding("modes of c, fixed particles, off by", value, 0.0, 1e-9)
