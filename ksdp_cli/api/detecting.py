"""What a stored run says of its own collapse, by frame: how concentrated each case is, and when it blows up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..base.files import JsonDict
from ..metrics.blow_up_time import BlowUpTime, blow_up_time
from ..metrics.concentration import Concentration, concentration
from ..particles.critical import critical_mass
from ..particles.problem import Case, Problem
from ..store import Run, open_run
from ..store.owner import Owner

#: Frames of all cases for which it is recorded, at most.
MOST = 2000
#: In delta, the radius R of the critical mass below which it feels delta; and that of the ball of a density in space.
RESOLVED, RESOLVED_BALL = 16.0, 4.0
#: In space the density is followed while that of four times the mass is no less than this part of it. On the exact
#: solution the estimate is then late by a fifth of the time that was left at the last frame used.
FLAT = 0.5


def detect(problem: Problem, owner: Owner) -> None:
    """Note ``concentration`` and ``t_b`` of each case that may collapse, unless the store is sealed."""
    stored = open_run(owner.path)
    if stored.complete:
        return
    if len(problem.cases) * len(stored.times) <= MOST and any(may_collapse(problem, case) for case in problem.cases):
        owner.annotate(**facts(problem, stored))


def facts(problem: Problem, stored: Run) -> JsonDict:
    """The attributes, an entry a case; None for a case that cannot collapse, or for a time that is not known."""
    records: list[dict[str, Any] | None] = []
    times: list[dict[str, float] | None] = []
    for case in problem.cases:
        if not may_collapse(problem, case):
            records.append(None)
            times.append(None)
            continue
        found = [_of_frame(problem, case, stored, k) for k in range(len(stored.times))]
        when = when_blown_up(problem, case, [float(t) for t in stored.times], found)
        records.append(_as_dict(stored, found))
        times.append(None if when is None else {"t": when.t, "low": when.low, "high": when.high, "radius": when.radius})
    return {"concentration": records, "t_b": times}


def may_collapse(problem: Problem, case: Case) -> bool:
    """Whether there is attraction, and in the plane more than the critical mass."""
    critical = critical_mass(problem, case)
    return case.chi > 0 and case.mass > (critical or 0.0) and (problem.config.dim == 3 or critical is not None)


def when_blown_up(
    problem: Problem, case: Case, times: Sequence[float], found: Sequence[Concentration]
) -> BlowUpTime | None:
    """From what frames show at ``times``, as far as it is resolved; a time after the last of them where they end so."""
    delta = math.sqrt(case.kernel_args[0])
    if problem.config.dim == 2:
        radii = np.array([one.critical_radius for one in found], np.float64)
        least = max(RESOLVED * delta, float(radii.min()))
        return agreeing(times, radii**2, least, problem.chemistry.memory)
    ball = case.mass * 0.01 * 3 / (4 * math.pi)
    inverse = np.array([1.0 / one.density for one in found])
    good = [
        one.wide >= FLAT * one.density and (ball * s) ** (1 / 3) >= RESOLVED_BALL * delta
        for one, s in zip(found, inverse, strict=True)
    ]
    held = len(good) if all(good) else good.index(False)
    if held < 2:
        return None
    when = blow_up_time(times[:held], inverse[:held], math.sqrt(inverse[:held].min()))
    return when and BlowUpTime(when.t, when.low, when.high, (ball * when.radius**2) ** (1 / 3))


def agreeing(times: Sequence[float], squares: ArrayLike, least: float, strict: bool) -> BlowUpTime | None:
    """`blow_up_time`, unless that of twice the radius has an interval without it: then R does not fall as it should.

    For eps > 0 it may fall like exp(-t) for long, so that, where ``strict``, both must be known.
    """
    when, before = blow_up_time(times, squares, least), blow_up_time(times, squares, 2.0 * least)
    if when is None or (before is None and strict):
        return None
    return when if before is None or before.low <= when.t <= before.high else None


def _of_frame(problem: Problem, case: Case, stored: Run, k: int) -> Concentration:
    x, delta = stored.frame(case.number, k), math.sqrt(case.kernel_args[0])
    return concentration(x, case.mass, RESOLVED * delta, critical_mass(problem, case))


def _as_dict(stored: Run, found: Sequence[Concentration]) -> JsonDict:
    return {
        "t": [float(t) for t in stored.times],
        "reach": found[0].reach if found else None,
        **{
            name: [_rounded(getattr(one, name)) for one in found]
            for name in ("density", "within", "radii", "critical_radius")
        },
    }


def _rounded(value: object) -> Any:
    """Six digits: more say nothing of a cloud."""
    if isinstance(value, tuple):
        return [_rounded(one) for one in value]
    return None if value is None else float(f"{value:.6g}")
