"""Steps too long for the flow: how far one carries a particle, and the error of E|X|^2 that all of them make."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..base import rng
from .intervals import longest_step
from .preflight import FLOW_FRACTION, flow_rate
from .problem import Case, Problem, diffusion

#: The error of E|X|^2 that is told; and the largest distance that the flow may move a particle in one step, relative to
#: its length scale, before the error must be shown to be less. In Kolmogorov's flow the trial cannot show that, and
#: either scheme passes 1 % between 0.3 and 1: docs/decisions/0007-length-of-a-step.md.
TARGET, UNPROVEN = 0.01, 0.2
#: Particles and, at most, steps of the trial. A difference within `SURE` standard errors is chance.
PARTICLES, MOST_STEPS, SURE = 1024, 100, 3.0


@dataclass(frozen=True)
class FlowDoubt:
    """A step ``dt`` [time] too long for the flow of ``case``, in which it moves a particle by ``travel`` of its length
    scale; ``resolved`` is a step that is not [time]. ``error`` is that of E|X|^2, or None where chance hides it."""

    case: Case
    dt: float
    travel: float
    resolved: float
    error: float | None


def flow_doubt(problem: Problem) -> FlowDoubt | None:
    """The doubt about the case of a sweep with the strongest flow, or None: E|X|^2 is off by more than `TARGET`, or
    the step is longer than `UNPROVEN` and not shown to be right."""
    probe = _probe(problem)
    rates = [flow_rate(case, probe, problem.config.t0) for case in problem.cases]
    worst = int(np.argmax(rates))
    case, rate, order = problem.cases[worst], rates[worst], problem.scheme.order
    dt = _step(problem, rate)
    travel = rate * dt
    if not (math.isfinite(travel) and rate * problem.config.T * min(travel, 1.0) ** order > TARGET):
        return None  # right in any flow: a constant strain is the worst
    error, chance = moment_error(problem, case, probe[:PARTICLES], dt)
    least, most = abs(error) - SURE * chance, abs(error) + SURE * chance
    measured, unproven = least > TARGET, travel > UNPROVEN
    if not (measured or (unproven and not most < TARGET)):  # most may be nan
        return None
    cut = FLOW_FRACTION / travel if unproven else 1.0
    if measured:
        cut = min(cut, (0.5 * TARGET / least) ** (1 / order))
    return FlowDoubt(case, dt, travel, cut * dt, abs(math.expm1(min(error, 99.0))) if measured else None)


def flow_limit(problem: Problem) -> tuple[float, str, bool] | None:
    """The longest step that the flow permits [time], why, and whether it limits this run; None without a flow."""
    probe, c = _probe(problem), problem.config
    rate = max(flow_rate(case, probe, c.t0) for case in problem.cases)
    if not rate > 0:
        return None
    longest, why = FLOW_FRACTION / rate, "the flow moves a particle by 0.1 of its length scale"
    doubt = flow_doubt(problem)
    if doubt and doubt.resolved < 0.99 * longest:
        return doubt.resolved, f"the flow puts E|X|^2 off by {TARGET / 2:.1%}", True
    return longest, why, bool(c.halvings) or doubt is not None or longest_step(c.snapshots, c.dt) <= longest


def _probe(problem: Problem) -> NDArray[np.float64]:
    c = problem.config
    return problem.initial.draw(min(c.J, 4096), c.dim, problem.cases[0].seed).astype(np.float64)


def _step(problem: Problem, rate: float) -> float:
    """The longest step, halved as `halving` does for a flow of max |grad v| = ``rate``."""
    c = problem.config
    dt = longest_step(c.snapshots, c.dt)
    parts = rate * dt / FLOW_FRACTION
    if not (c.halvings and 1 < parts < math.inf):
        return dt
    return dt / (1 << min(c.halvings, math.ceil(math.log2(parts))))


def moment_error(problem: Problem, case: Case, start: NDArray[np.float64], dt: float) -> tuple[float, float]:
    """Error of the logarithm of E|X - m|^2 at the end by steps of ``dt`` in the flow alone, m the mean of ``start``
    (n, d), and its standard error: the difference to halved steps on the same Brownian path, extrapolated by the order.

    A longer run is tried with `MOST_STEPS` longer steps, and its error is less by the order.
    """
    c, scheme = problem.config, problem.scheme()
    count = min(max(1, math.ceil(c.T / dt)), MOST_STEPS)
    h = c.T / count
    spread, middle, (n, d) = diffusion(case, h / 2), start.mean(0), start.shape
    velocity = case.flow.velocity
    whole: NDArray[np.floating] = start
    halved: NDArray[np.floating] = start
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        for k in range(count):
            t = c.t0 + k * h
            one, two = (spread * rng.normals(case.seed, 0, 2 * k + i, 0, n, d, np.float64) for i in (0, 1))
            whole = scheme.step(whole, t, h, velocity, one + two)
            halved = scheme.step(scheme.step(halved, t, h / 2, velocity, one), t + h / 2, h / 2, velocity, two)
        p, q = (((x - middle) ** 2).sum(1) for x in (whole, halved))
        ratio = p.mean() / q.mean()
        chance = float((p - ratio * q).std() / q.mean() / math.sqrt(n))
        error = float(np.log(ratio))
    scale = 2.0**scheme.order / (2.0**scheme.order - 1) * (dt / h) ** scheme.order
    return error * scale, chance * scale
