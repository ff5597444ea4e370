"""Scaling of a run: lengths times 2 and times times 4 give the same particles, times 2, on one Brownian path.

In space the mass is doubled as well; eps stays. Powers of 2 change no digit, so that the positions are equal to the
bit.
"""

from __future__ import annotations

import numpy as np

from ..particles.problem import Problem
from .base import Finding, elliptic, parameters
from .chemical import MODES, eps_of, known
from .short_run import moved

J, STEPS = 300, 8


def holds(problem: Problem) -> bool:
    return (elliptic(problem) or known(problem)) and not any(parameters(problem).values())


def check(problem: Problem) -> Finding:
    """The largest difference of a coordinate after 8 steps of 300 particles."""
    case, dim = problem.cases[0], problem.config.dim
    delta2, mass = case.kernel_args[0], case.mass
    chemistry = {} if elliptic(problem) else {"chemistry": problem.config.chemistry, "modes": MODES[dim]}
    chemistry |= {} if elliptic(problem) else {"eps": eps_of(problem)}
    positions = []
    for length in (1.0, 2.0):
        scale = {"delta2": delta2 * length**2, "radius": length, "M": mass * length ** (dim - 2)}
        scale |= {"T": STEPS * 1e-3 * length**2, "dt": 1e-3 * length**2}
        _, (run,) = moved(problem, J=J, init="ball", chi=case.chi, seed=case.seed, accuracy=1e-2, **scale, **chemistry)
        positions.append(run.state.x / length)
    value = float(np.abs(positions[1] - positions[0]).max())
    return Finding("scaling of a run, largest difference", value, 0.0, 1e-9)
