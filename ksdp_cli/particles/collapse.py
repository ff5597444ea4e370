"""What delta does to a cloud, in numbers: how much of the attraction it takes away, and whether the cloud outlives its
blow-up because of that.

Each pair adds -chi M / J^2 g(r^2) r^2 to the slope of the second moment; without delta g r^2 is 1 / (2 pi) in the
plane and 1 / (4 pi r) in space. So the part that is missing from the mean over pairs is the part by which law (6) is
wrong for this cloud and this delta. In the plane attraction wins where chi M (J - 1) / J is beyond 8 pi mu (J - 1) / J.
A cloud whose attraction has lost half of that excess to delta is called collapsed: a true one has no next moment.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np

from ..base.shapes import Cloud
from .kernel_compiler.source import array_function
from .problem import Case, Problem

#: Particles whose pairs are looked at; looks at a case in a run.
SAMPLE, LOOKS = 400, 20
#: The cloud is doubted at the start where this part of the attraction is missing, or this part of the excess; the
#: paper's disc lacks 0.6 % at delta^2 = 1e-3 and 4 % at 1e-2. It has collapsed where half of the excess is missing.
ATTRACTION, EXCESS, HALF = 0.1, 0.25, 0.5


def missing(kernel: object, args: tuple[float, ...], x: Cloud) -> float:
    """The part of the attraction between particles of ``x`` (J, d) that delta takes away, from 0 to 1."""
    sample = np.asarray(x[:: -(-len(x) // SAMPLE)], np.float64)
    if len(sample) < 2 or args[0] == 0.0:
        return 0.0
    dim = x.shape[1]
    i, j = np.triu_indices(len(sample), 1)
    r2 = ((sample[i] - sample[j]) ** 2).sum(1)
    r2 = r2[r2 > 0]
    if not r2.size or not np.isfinite(r2).all():
        return 0.0
    whole = np.full_like(r2, 1 / (2 * math.pi)) if dim == 2 else 1 / (4 * math.pi * np.sqrt(r2))
    with np.errstate(all="ignore"):
        left = kernel_function(kernel, dim)(r2, *args) * r2
    return max(0.0, 1.0 - float(left.sum() / whole.sum()))


@lru_cache(16)
def kernel_function(kernel: object, dim: int) -> Any:
    """g(r2, delta2, *parameters) of arrays."""
    return array_function(kernel, dim)


def excess(problem: Problem, case: Case) -> float:
    """The part of chi M that is beyond 8 pi mu, in the plane with attraction of our own kernels; else 0."""
    pull = case.chi * case.mass
    if problem.config.dim != 2 or pull <= 8 * math.pi * case.mu or not _ours(problem):
        return 0.0
    return 1.0 - 8 * math.pi * case.mu / pull


def doubts(problem: Problem, cloud: Cloud) -> list[str]:
    """Sentences with numbers, before a run, where delta is coarse for the initial ``cloud`` (J, d), and where the run
    goes on beyond the time at which law (6) leaves no cloud.
    """
    found = [_coarse(problem, cloud), _beyond(problem, cloud)]
    return [sentence for sentence in found if sentence]


def collapsed(problem: Problem, case: Case, x: Cloud) -> float | None:
    """The part of the attraction that is missing, where that is half of the excess; else None."""
    over = excess(problem, case)
    lost = missing(problem.kernel, case.kernel_args, x) if over else 0.0
    return lost if over and lost > HALF * over else None


def told(problem: Problem, case: Case, t: float, lost: float, x: Cloud) -> str:
    """A sentence about a cloud that has collapsed by ``t``."""
    delta, critical = math.sqrt(case.kernel_args[0]), 8 * math.pi * case.mu / case.chi
    return (
        f"from t = {t:.3g} on{case.place} the cloud has collapsed to the size of delta = {delta:.3g}, which takes away "
        f"{lost:.0%} of the attraction: E|x|^2 does not follow law (6) any more; largest mass within delta "
        f"{densest(x, delta) * case.mass:.3g} against the critical 8 pi mu / chi = {critical:.3g}"
    )


def densest(x: Cloud, delta: float) -> float:
    """The largest part of ``x`` (J, d) within ``delta`` of one of its particles, of which 2000 are asked."""
    from scipy.spatial import cKDTree

    tree = cKDTree(x)
    return int(np.max(tree.query_ball_point(x[:: max(1, len(x) // 2000)], delta, return_length=True))) / len(x)


def _coarse(problem: Problem, cloud: Cloud) -> str | None:
    if not _ours(problem):
        return None
    worst, lost = None, 0.0
    known: dict[tuple[float, ...], float] = {}
    for case in problem.cases:
        if case.chi == 0 or case.mass == 0:
            continue
        if case.kernel_args not in known:
            known[case.kernel_args] = missing(problem.kernel, case.kernel_args, cloud)
        here, over = known[case.kernel_args], excess(problem, case)
        if (here > ATTRACTION or (over and here > EXCESS * over)) and here > lost:
            worst, lost = case, here
    if worst is None:
        return None
    delta2, over = worst.kernel_args[0], excess(problem, worst)
    part = f", {min(lost / over, 1.0):.0%} of what is beyond the critical mass" if over else ""
    return (
        f"delta = {math.sqrt(delta2):.3g} is not small against the initial cloud{worst.place}: it takes away "
        f"{lost:.0%} of the pair force{part}; use a smaller --delta2, with a --dt to match"
    )


def _beyond(problem: Problem, cloud: Cloud) -> str | None:
    """By law (6) about the centre of mass: E|x - mean|^2 has the slope (J - 1) / J (4 mu - chi M / 2 pi)."""
    c = problem.config
    if c.flow != "ksdp:none" or len(cloud) < 2:
        return None
    start = float(cloud.var(0, dtype=np.float64).sum())
    first, end = None, math.inf
    for case in problem.cases:
        if excess(problem, case):
            slope = (1 - 1 / c.J) * (4 * case.mu - case.chi * case.mass / (2 * math.pi))
            if -start / slope < end:
                first, end = case, -start / slope
    if first is None or end * (1 + 1e-9) >= c.T:
        return None
    return (
        f"E|x|^2 about the mean is {start:.3g} at the start, and law (6) lets it fall to 0 by t = {c.t0 + end:.3g}"
        f"{first.place}: a cloud has blown up before that, and what goes on to t = {c.t0 + c.T:.3g} is held apart "
        "by delta"
    )


def _ours(problem: Problem) -> bool:
    """Whether g tends to the Coulomb force: that is so for the kernels that ship, others may screen it."""
    return problem.config.kernel.startswith("ksdp:") and problem.config.chemistry == "ksdp:elliptic"
