"""Follow the collapse of a case between the snapshots, so that the estimate of its time does not depend on them.

Measure the concentration of the cloud (`metrics.concentration`) whenever R^2 (in 3D the inverse density) may have
changed by a fifth, judged by its last two values. So the number of looks does not depend on the time scale of the
collapse. The next look depends only on earlier looks: a resumed run looks at the same steps.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from ..metrics.concentration import PART, Concentration, concentration
from ..particles.case_run import CaseRun, Look
from ..particles.critical import critical_mass
from ..particles.merging import RADIUS
from ..particles.problem import Case, Problem

#: In delta, the radius R of the critical mass below which it feels delta; and that of the ball of a density in space.
RESOLVED, RESOLVED_BALL = 16.0, 4.0
#: Target for the change of R^2 between two looks; particles among which the densest point is searched; most cases of a
#: store that are followed.
CHANGE, LOOKED_AT, MOST_CASES = 0.2, 4000, 100
#: Least gap between two looks, as a fraction of the time since the first: after the smallest of the last `RECENT`
#: values; after another, which is noise or a cloud that spreads; and after that from the look number `MANY` on.
LEAST, LEAST_NOISY, LEAST_MANY, RECENT, MANY = 1e-4, 0.01, 0.1, 10, 200


def may_collapse(problem: Problem, case: Case) -> bool:
    """Whether there is attraction and, in 2D, more than the critical mass, and a critical mass: with mu = 0 it is 0."""
    critical = critical_mass(problem, case)
    return case.chi > 0 and case.mass > (critical or 0.0) and (problem.config.dim == 3 or bool(critical))


def is_followed(problem: Problem, case: Case) -> bool:
    return len(problem.cases) <= MOST_CASES and may_collapse(problem, case)


def is_due(looks: Sequence[Look], t: float) -> bool:
    """Whether the next look is due at ``t``, after ``looks``."""
    if len(looks) < 2:
        return True
    before, last = looks[-2], looks[-1]
    since, s = last["t"] - before["t"], square(last)
    change = abs(square(before) - s)
    gap = min(2.0 * since, CHANGE * since * s / change) if change > 0 and s > 0 else 2.0 * since
    age = last["t"] - looks[0]["t"]
    if t < last["t"] + max(gap, LEAST * age) * (1 - 1e-9):
        return False
    if s <= min(square(one) for one in looks[-RECENT:]):
        return True
    return bool(t >= last["t"] + (LEAST_NOISY if len(looks) < MANY else LEAST_MANY) * age)


def look(run: CaseRun) -> Look:
    """Measure the concentration of a case's cloud now, in six digits."""
    case, delta = run.case, math.sqrt(run.case.kernel_args[0])
    critical = critical_mass(run.problem, case)
    measure = concentration(run.state.x, case.mass, RESOLVED * delta, critical, most=LOOKED_AT)
    return of(measure, run.time())


def of(measure: Concentration, t: float) -> Look:
    """The numbers of a look, or of a frame, in six digits."""
    return Look(
        t=t,
        density=_rounded(measure.density),
        wide=_rounded(measure.wide),
        within=float(f"{measure.within:.6g}"),
        radii=[float(f"{radius:.6g}") for radius in measure.radii],
        critical_radius=_rounded(measure.critical_radius),
    )


def square(entry: Look) -> float:
    """What falls to 0 at a blow-up: R^2, in space 1 / density."""
    radius = entry["critical_radius"]
    if radius is None:
        return 1.0 / entry["density"] if entry["density"] else 0.0
    return float(radius**2)


def is_over(run: CaseRun, entry: Look) -> str | None:
    """A sentence where delta resolves the cloud no more: it holds the critical mass, in space 1 % of all mass, within
    four delta of its densest point."""
    case, delta, radius = run.case, math.sqrt(run.case.kernel_args[0]), entry["critical_radius"]
    if radius is None:
        radius, what = ball(case, entry["density"]), f"{PART:.0%} of the mass"
        limit = RESOLVED_BALL
    else:
        what, limit = "the critical mass 8 pi mu / chi", RADIUS
    if radius > limit * delta:
        return None
    return f"the cloud has collapsed by t = {entry['t']:.6g}: {what} lies within {limit:g} delta = {limit * delta:.3g}"


def seen_end(run: CaseRun) -> str | None:
    """`is_over` of the last look at a case; None without one."""
    looks = run.state.looks
    return is_over(run, looks[-1]) if looks else None


def ball(case: Case, density: float | None) -> float:
    """Radius of the ball in space that 1 % of the mass fills with ``density`` [length]; None is infinite."""
    return float((3 * PART * case.mass / (4 * math.pi * density)) ** (1 / 3)) if density else 0.0


def as_columns(looks: Sequence[Look]) -> dict[str, object]:
    """Each number of the looks as a list, for a store."""
    return {name: [dict(one)[name] for one in looks] for name in looks[0]} if looks else {}


def from_columns(columns: dict[str, object] | None) -> list[Look]:
    """The looks that a store or a checkpoint holds, whose record was checked."""
    rows = zip(*columns.values(), strict=True) if columns else ()
    return [cast(Look, dict(zip(columns or (), row, strict=True))) for row in rows]


def followed_by(looks: Sequence[Sequence[Look]]) -> dict[str, object]:
    """The attribute of a store whose cases were followed, an entry a case."""
    return {"followed": [as_columns(one) or None for one in looks]} if any(looks) else {}


def _rounded(value: float | None) -> float | None:
    """Six digits: more say nothing of a cloud. None for what is infinite, as the density of particles at one point."""
    return None if value is None or value == math.inf else float(f"{value:.6g}")
