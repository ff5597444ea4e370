"""Centre of mass for eps > 0: chi E[grad c] = (chi eps / M) int c_t grad c, which is not 0: momentum is not conserved.

For an implicit step c_t is (c - c_old) / dt, exactly.
"""

from __future__ import annotations

import numpy as np

from ..particles.problem import Problem
from .base import Finding
from .chemical import MASS, Box, known

MEMORY, AWAY = 20.0, 0.4


def holds(problem: Problem) -> bool:
    return known(problem)


def check(problem: Problem) -> Finding:
    """Compare the mean gradient of particles that have jumped with the integral; relative to the mean."""
    box = Box(problem, 0.0, MEMORY)
    old = box.steps(box.start(), 3, box.x - AWAY)
    new = box.steps(old, 1)
    mean = np.asarray(box.chemistry.gradient(new, box.x)).mean(0)
    c, before = box.c(new), box.c(old)
    modes = np.fft.fftn(c)
    expected = [MEMORY / MASS * box.integral((c - before) * np.fft.ifftn(1j * q * modes).real) for q in box.q()]
    value = float(np.linalg.norm(mean - expected) / np.linalg.norm(mean))
    return Finding("mean of grad c, less (eps / M) int c_t grad c", value, 0.0, 1e-3)
