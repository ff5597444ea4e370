"""Free energy: with fixed particles c takes int ((|grad c|^2 + k^2 c^2) / 2 - rho c) down at the rate eps int c_t^2.

An implicit step takes it down by (eps/dt) int dc^2 + int (|grad dc|^2 + k^2 dc^2) / 2 exactly, dc its change of c.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..chemistry.base import State
from ..particles.problem import Problem
from .base import Finding
from .chemical import MASS, Box, known

K, MEMORY = 0.5, 20.0


def holds(problem: Problem) -> bool:
    return known(problem)


def check(problem: Problem) -> Finding:
    """Compare what the third step takes from the energy with what it must take; particles on points of the grid."""
    box = Box(problem, K, MEMORY)
    places = np.random.default_rng(1).integers(8, box.grid.shape[0] - 8, box.x.shape)
    box.x = box.grid.axes[0][places]
    before = box.steps(box.start(), 2)
    states = (before, box.steps(before, 1))
    energies = [_energy(box, state, places) for state in states]
    change = box.c(states[1]) - box.c(states[0])
    must = MEMORY * box.integral(change**2) + _quadratic(box, change)
    return Finding("free energy that a step of c takes, over exact", (energies[0] - energies[1]) / must, 1.0, 1e-3)


def _energy(box: Box, state: State, places: NDArray[np.int64]) -> float:
    c = box.c(state)
    return _quadratic(box, c) - MASS * float(c[tuple(places.T)].mean())


def _quadratic(box: Box, c: NDArray[np.float64]) -> float:
    """int (|grad c|^2 + k^2 c^2) / 2."""
    modes = np.fft.fftn(c)
    slopes = [np.fft.ifftn(1j * q * modes).real for q in box.q()]
    return 0.5 * box.integral(sum(s * s for s in slopes) + K * K * c * c)
