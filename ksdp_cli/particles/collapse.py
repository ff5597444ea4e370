"""The fraction of the attraction that the regularisation delta removes, and the collapse of a cloud to the size of
delta.

Each pair adds -chi M / J^2 g(r^2) r^2 to the slope of the second moment. Without delta, g r^2 is 1 / (2 pi) in the
plane and 1 / (4 pi r) in space. The relative deficit of the mean over pairs is therefore the relative error of law (6)
for this cloud and this delta. In the plane attraction wins for chi M > 8 pi mu. A cloud is called collapsed when delta
has removed half of that excess: without delta it would have blown up.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..exact.critical import CRITICAL
from .critical import critical_mass, second_moment_slope
from .kernel_compiler.source import array_function
from .problem import Case, Problem

#: Number of particles whose pairs are summed; number of checks of a case in a run.
SAMPLE, LOOKS = 400, 20
#: Pairs that are summed at a time: larger arrays are given back to the system and filled with zeros for each sum.
PIECE = 8192
#: Warn at the start if this fraction of the attraction, or of the excess, is missing; the paper's disc lacks 0.6 % at
#: delta^2 = 1e-3 and 4 % at 1e-2. A cloud has collapsed if the fraction `HALF` of the excess is missing.
ATTRACTION, EXCESS, HALF = 0.1, 0.25, 0.5


def missing(kernel: object, args: tuple[float, ...], x: Cloud) -> float:
    """Fraction of the attraction between particles ``x`` (J, d) that delta removes, from 0 to 1."""
    sample = np.asarray(x[:: -(-len(x) // SAMPLE)], np.float64)
    if len(sample) < 2 or args[0] == 0.0:
        return 0.0
    dim = x.shape[1]
    g, left, whole = kernel_function(kernel, dim), 0.0, 0.0
    axes, (first, second) = np.ascontiguousarray(sample.T), _pairs(len(sample))  # SciPy's pdist takes 70 ms to import
    with np.errstate(all="ignore"):
        for low in range(0, len(first), PIECE):
            r2 = _squares(axes, first[low : low + PIECE], second[low : low + PIECE])
            if not math.isfinite(r2.max()):
                return 0.0
            if not r2.all():
                r2 = r2[r2 > 0]
            left += float((g(r2, *args) * r2).sum())
            whole += r2.size / (2 * math.pi) if dim == 2 else float((1 / (4 * math.pi * np.sqrt(r2))).sum())
    if not whole:
        return 0.0
    return max(0.0, 1.0 - left / whole)


def _squares(axes: NDArray[np.float64], i: NDArray[np.intp], j: NDArray[np.intp]) -> NDArray[np.float64]:
    """r^2 of the pairs (i, j) of particles with the coordinates ``axes`` (d, n), with few arrays: it is done often."""
    total = np.zeros(len(i))
    for axis in axes:
        difference = axis.take(i)
        difference -= axis.take(j)
        difference *= difference
        total += difference
    return total


@lru_cache(1)
def _pairs(n: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows and columns of the pairs of ``n`` particles."""
    rows, columns = np.triu_indices(n, 1)  # columns of one array, which index four times slower
    return np.ascontiguousarray(rows), np.ascontiguousarray(columns)


@lru_cache(16)
def kernel_function(kernel: object, dim: int) -> Callable[..., NDArray[np.float64]]:
    """The kernel's g(r2, delta2, *parameters) as a function of arrays."""
    return array_function(kernel, dim)


def excess(problem: Problem, case: Case) -> float:
    """Fraction of chi M above 8 pi mu, in the plane, for the kernels that ship with ksdp; else 0."""
    strength, critical = case.chi * case.mass, CRITICAL * case.mu
    return 1.0 - critical / strength if problem.config.dim == 2 and strength > critical and _ours(problem) else 0.0


def doubts(problem: Problem, cloud: Cloud) -> list[str]:
    """Warnings before a run: delta is coarse for the initial ``cloud`` (J, d), or the run is longer than law (6)
    allows."""
    warnings = [_coarse(problem, cloud), _beyond(problem, cloud)]
    return [warning for warning in warnings if warning]


def collapsed(problem: Problem, case: Case, x: Cloud) -> float | None:
    """The missing fraction of the attraction if it exceeds half of the excess, that is after a collapse; else None."""
    over = excess(problem, case)
    fraction = missing(problem.kernel, case.kernel_args, x) if over else 0.0
    return fraction if over and fraction > HALF * over else None


def collapse_warning(problem: Problem, case: Case, t: float, fraction: float, x: Cloud) -> str:
    """The warning about a cloud ``x`` (J, d) that has collapsed by ``t``; ``fraction`` is the missing fraction."""
    delta = math.sqrt(case.kernel_args[0])
    return (
        f"from t = {t:.3g} on{case.place} the cloud has collapsed to the size of delta = {delta:.3g}, which removes "
        f"{fraction:.0%} of the attraction: E|x|^2 no longer follows law (6); {mass_within_delta(problem, case, x)}"
    )


def mass_within_delta(problem: Problem, case: Case, x: Cloud) -> str:
    """The largest mass within delta, for a message, beside the critical mass if the case has one."""
    mass, critical = densest(x, math.sqrt(case.kernel_args[0])) * case.mass, critical_mass(problem, case)
    beside = f" against the critical 8 pi mu / chi = {critical:.3g}" if critical is not None else ""
    return f"largest mass within delta {mass:.3g}{beside}"


def densest(x: Cloud, delta: float) -> float:
    """Largest fraction of ``x`` (J, d) within ``delta`` of a particle, over about 2000 particles."""
    from scipy.spatial import cKDTree

    tree = cKDTree(x)
    return int(np.max(tree.query_ball_point(x[:: max(1, len(x) // 2000)], delta, return_length=True))) / len(x)


def _coarse(problem: Problem, cloud: Cloud) -> str | None:
    if not problem.config.kernel.startswith("ksdp:"):
        return None
    worst, most = None, 0.0
    fractions: dict[tuple[float, ...], float] = {}
    for case in problem.cases:
        if case.chi == 0 or case.mass == 0:
            continue
        if case.kernel_args not in fractions:
            fractions[case.kernel_args] = missing(problem.kernel, case.kernel_args, cloud)
        fraction, over = fractions[case.kernel_args], excess(problem, case)
        if (fraction > ATTRACTION or (over and fraction > EXCESS * over)) and fraction > most:
            worst, most = case, fraction
    if worst is None:
        return None
    delta2, over = worst.kernel_args[0], excess(problem, worst)
    part = f", {min(most / over, 1.0):.0%} of the excess over the critical mass" if over else ""
    part = part if _ours(problem) else " at eps = 0"
    return (
        f"delta = {math.sqrt(delta2):.3g} is not small compared with the initial cloud{worst.place}: it removes "
        f"{most:.0%} of the pair force{part}; use a smaller --delta2, with a --dt to match"
    )


def _beyond(problem: Problem, cloud: Cloud) -> str | None:
    """Warn if law (6) about the centre of mass, with slope (J - 1) / J (4 mu - chi M / 2 pi), reaches 0 during the
    run."""
    c = problem.config
    if c.flow != "ksdp:none" or c.merge != "none" or len(cloud) < 2:
        return None
    start = float(cloud.var(0, dtype=np.float64).sum())
    first, end = None, math.inf
    for case in problem.cases:
        if excess(problem, case):
            slope = (1 - 1 / c.J) * second_moment_slope(case)
            if -start / slope < end:
                first, end = case, -start / slope
    if first is None or end * (1 + 1e-9) >= c.T:
        return None
    return (
        f"E|x|^2 about the mean is {start:.3g} at the start, and by law (6) it falls to 0 at t = {c.t0 + end:.3g}"
        f"{first.place}: the cloud blows up before that, and until t = {c.t0 + c.T:.3g} only delta holds the "
        "particles apart"
    )


def _ours(problem: Problem) -> bool:
    """Whether g tends to the Coulomb force: true for the kernels that ship with ksdp; other kernels may screen it."""
    return problem.config.kernel.startswith("ksdp:") and problem.config.chemistry == "ksdp:elliptic"
