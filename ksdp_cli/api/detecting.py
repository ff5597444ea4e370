"""What a stored run says of its own collapse, by frame and by look: how concentrated each case is, and when it blows
up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.files import JsonDict
from ..metrics.blow_up_time import BlowUpTime, blow_up_time
from ..metrics.concentration import concentration
from ..particles.case_run import Look
from ..particles.critical import critical_mass
from ..particles.problem import Case, Problem
from ..store import Run, open_run
from ..store.owner import Owner
from .following import RESOLVED, RESOLVED_BALL, ball, from_columns, may_collapse, of, square

#: Most frames of all cases for which the concentration is recorded.
MOST = 2000
#: In space the density is followed while that of four times the mass is no less than this part of it. On the exact
#: solution the estimate is then late by a fifth of the time that was left at the last frame used.
FLAT = 0.5


def finish(problem: Problem, owner: Owner) -> None:
    """Seal a store with ``concentration`` and ``t_b`` of each case that may collapse."""
    follow = len(problem.cases) * len(owner.times) <= MOST and any(may_collapse(problem, one) for one in problem.cases)
    run = open_run(owner.path) if follow else None
    owner.finish(**facts(problem, run) if run and not run.complete else {})


def facts(problem: Problem, run: Run) -> dict[str, object]:
    """The attributes, an entry a case; None for a case that cannot collapse. Where it can and there is no ``t_b``,
    ``no_t_b`` has the reason."""
    records: list[JsonDict | None] = []
    times: list[dict[str, float] | None] = []
    reasons: list[str | None] = []
    columns = run.attrs.get("followed") or [None] * len(problem.cases)
    for case, between in zip(problem.cases, columns, strict=True):
        record: JsonDict | None = None
        when: BlowUpTime | str | None = None
        if may_collapse(problem, case):
            frames = [_of_frame(problem, case, run, k) for k in range(len(run.times))]
            looks = {one["t"]: one for one in (*from_columns(between), *frames)}
            record, when = _as_dict(case, frames), blow_up_of(problem, case, [looks[t] for t in sorted(looks)])
        records.append(record)
        times.append(asdict(when) if isinstance(when, BlowUpTime) else None)
        reasons.append(when if isinstance(when, str) else None)
    return {"concentration": records, "t_b": times, **({"no_t_b": reasons} if any(reasons) else {})}


def blow_up_of(problem: Problem, case: Case, looks: Sequence[Look]) -> BlowUpTime | str:
    """When a case blows up, from what ``looks`` saw, by time, as far as it is resolved; a time after the last of them
    where they end so. A sentence where they do not tell."""
    delta = math.sqrt(case.kernel_args[0])
    times = [one["t"] for one in looks]
    squares = np.array([square(one) for one in looks], np.float64)
    if problem.config.dim == 2:
        least = max(RESOLVED * delta, math.sqrt(squares.min()))
        return agreeing(times, squares, least, problem.chemistry.memory)
    good = [flat(one) and ball(case, one["density"]) >= RESOLVED_BALL * delta for one in looks]
    resolved = len(good) if all(good) else good.index(False)
    if resolved < 2:
        return f"1 % of the mass is no core wider than {RESOLVED_BALL:g} delta: delta is too large, or J too small"
    when = blow_up_time(times[:resolved], squares[:resolved], math.sqrt(squares[:resolved].min()))
    if when is None:
        return "the largest density has not grown fourfold while it was resolved"
    return BlowUpTime(when.t, when.low, when.high, ball(case, when.radius**-2))


def agreeing(times: Sequence[float], squares: ArrayLike, least: float, strict: bool) -> BlowUpTime | str:
    """`blow_up_time`, unless that of twice the radius has an interval without it: then R does not fall as it should.

    For eps > 0 it may fall like exp(-t) for long, so that, where ``strict``, both must be known.
    """
    when, before = blow_up_time(times, squares, least), blow_up_time(times, squares, 2.0 * least)
    if when is None:
        return _undated(np.asarray(squares, np.float64), least)
    radii = f"radii of {2 * least:.3g} and {least:.3g} give {when.t:.4g}"
    if before is None:
        return f"{radii}, and the radius began below {4 * least:.3g}: no pair to compare with" if strict else when
    if before.low <= when.t <= before.high:
        return when
    return (
        f"{radii}, outside of {before.low:.4g} to {before.high:.4g} by radii of {4 * least:.3g} and {2 * least:.3g}: "
        "R does not fall as before a blow-up yet; a smaller --delta2 follows it further, or two runs (docs/blow_up.md)"
    )


def _undated(squares: NDArray[np.float64], least: float) -> str:
    """Why a radius R that is followed down to ``least`` gives no time: it began too small, or has not halved."""
    radii = np.sqrt(squares[np.isfinite(squares)])
    if radii.min() < least * (1.0 - 1e-9):
        return (
            f"delta is too large: the radius of the critical mass is followed down to {least:.3g}, which is "
            f"{RESOLVED:g} delta, and began at {radii[0]:.3g}, less than twice that; use a smaller --delta2"
        )
    ends = f"{radii[0]:.3g} at first and {radii.min():.3g} at least"
    return f"no collapse was seen: the radius of the critical mass was {ends}"


def flat(entry: Look) -> bool:
    """Whether the density of four times the mass is `FLAT` of that of the ball, or more."""
    near, wide = entry["density"], entry["wide"]
    return near is not None and wide is not None and wide >= FLAT * near


def _of_frame(problem: Problem, case: Case, run: Run, k: int) -> Look:
    x, delta = run.frame(case.number, k), math.sqrt(case.kernel_args[0])
    measure = concentration(x, case.mass, RESOLVED * delta, critical_mass(problem, case))
    return of(measure, float(run.times[k]))


def _as_dict(case: Case, frames: Sequence[Look]) -> dict[str, object]:
    names = ("t", "density", "within", "radii", "critical_radius")
    reach = RESOLVED * math.sqrt(case.kernel_args[0]) if frames else None
    return {"reach": reach, **{name: [dict(one)[name] for one in frames] for name in names}}
