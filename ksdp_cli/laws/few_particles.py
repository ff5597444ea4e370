"""A few particles in the plane: the exact law, not only the mean, of S = sum |X_i - mean X|^2.

S / (2 mu t) has a noncentral chi^2 law with (J - 1)(2 - chi M / (4 pi mu)) degrees of freedom and noncentrality
S_0 / (2 mu t) (Fournier and Tardy, arXiv 2110.08490).
"""

from __future__ import annotations

import math

import numpy as np

from ..errors import NumericalError
from ..particles.problem import Problem
from . import second_moment_run
from .base import Finding
from .short_run import moved

J, COPIES, STEPS, DELTA2 = 8, 160, 80, 1e-6
#: Kolmogorov's distance that 160 correct values exceed once in 16 000 runs.
LARGEST = math.sqrt(math.log(2.0 * 16_000) / (2.0 * COPIES))


def holds(problem: Problem) -> bool:
    return second_moment_run.holds(problem)


def check(problem: Problem) -> Finding:
    """Compare 160 runs of 8 particles at M = 4 pi mu / chi with the law, by Kolmogorov's distance."""
    from scipy.stats import kstest, ncx2

    mu, T = problem.cases[0].mu, 0.5 / problem.cases[0].mu
    name = f"law of E|X - mean|^2 for {J} particles, distance"
    options = {"chi": 1.0, "M": 4.0 * math.pi * mu, "delta2": DELTA2, "T": T, "dt": T / STEPS}
    try:
        first, runs = moved(problem, J=J, seed=tuple(range(COPIES)), engine="direct", **options)
    except NumericalError:  # the particles collapse
        return Finding(name, 1.0, 0.0, LARGEST)
    before = np.array([((x - x.mean(0)) ** 2).sum() for x in first])
    after = np.array([((run.state.x - run.state.x.mean(0)) ** 2).sum() for run in runs])
    places = ncx2.cdf(after / (2.0 * mu * T), J - 1, before / (2.0 * mu * T))
    return Finding(name, float(kstest(places, "uniform").statistic), 0.0, LARGEST)
