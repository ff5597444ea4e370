"""Doubts before a run, and what to say when it blows up."""

from __future__ import annotations

import math
import os

import numpy as np

from ..errors import ResourceError
from .integrator import State
from .problem import Case, Problem

#: A particle should not cross more than this part of the flow's length scale in a step.
FLOW_FRACTION = 0.1
#: Nor should the attraction of the whole mass at distance delta move it by more than this part of delta.
KERNEL_FRACTION = 0.5


def doubts(problem: Problem) -> list[str]:
    """Step sizes that are too large for the flow or for the kernel, each a sentence with its number."""
    c = problem.config
    probe = problem.initial.draw(min(c.J, 4096), c.dim, c.seed).astype(np.float64)
    found = []
    for case in problem.cases:
        fastest = float(np.abs(case.flow.velocity(probe, 0.0)).max(initial=0.0))
        travel = fastest * c.dt / _length_scale(case, probe)
        if travel > FLOW_FRACTION and c.scheme == "euler":
            found.append(
                f"the flow moves particles by {travel:.2g} of its length scale in one step of dt = {c.dt:g}"
                f"{_at(case)}; use --dt {_round(c.dt * FLOW_FRACTION / travel)} or --scheme heun"
            )
        pull = collapse_drift(case, c.dim) * c.dt / math.sqrt(case.kernel_args[0] or 1.0)
        if pull > KERNEL_FRACTION:
            found.append(
                f"once the mass has collapsed to delta = {math.sqrt(case.kernel_args[0]):.3g}, a step of dt = {c.dt:g} "
                f"moves particles by {pull:.2g} delta{_at(case)}; use --dt {_round(c.dt * KERNEL_FRACTION / pull)}"
            )
    return found[:2]


def collapse_drift(case: Case, dim: int) -> float:
    """Speed at distance delta from the whole mass: chi M delta g(delta^2) of the blob kernel."""
    delta = math.sqrt(case.kernel_args[0])
    sphere = 2 * math.pi if dim == 2 else 4 * math.pi
    return case.chi * case.mass / (2 * sphere * delta ** (dim - 1)) if delta else 0.0


def require_memory(problem: Problem) -> None:
    """Raise `ResourceError` when positions and drift of all cases cannot fit in memory."""
    c = problem.config
    width = 4 if c.dtype == "float32" else 8
    need = c.J * c.dim * width * (len(problem.cases) * 2 + 12)
    have = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if need > have:
        raise ResourceError(
            f"J = {c.J} particles in {len(problem.cases)} cases need about {need / 2**30:.3g} GiB of memory, "
            f"and this machine has {have / 2**30:.3g} GiB",
            "lower --J or sweep fewer values",
        )


def diagnose(problem: Problem, state: State) -> str:
    """Where the cloud stood at its last good step: smallest pair distance against delta, mass within delta."""
    from scipy.spatial import cKDTree

    index = min(state.case, len(problem.cases) - 1)
    x = state.x[index].astype(np.float64)
    case = problem.cases[index]
    delta = math.sqrt(case.kernel_args[0])
    good = x[np.isfinite(x).all(1)]
    if len(good) < 2:
        return f"{len(x) - len(good)} of {len(x)} particles are not finite"
    tree = cKDTree(good)
    nearest = float(tree.query(good, k=2)[0][:, 1].min())
    sample = good[:: max(1, len(good) // 2000)]
    most = max(len(hits) for hits in tree.query_ball_point(sample, delta)) / len(x) * case.mass
    told = f"smallest pair distance {nearest:.3g} against delta = {delta:.3g}, largest mass within delta {most:.3g}"
    return told + (f" against the critical 8 pi = {8 * math.pi:.3g}" if problem.config.dim == 2 else "")


def _length_scale(case: Case, probe: np.ndarray) -> float:
    """max |v| / max |grad v| by central differences at the probe points; 1 where the flow is uniform."""
    h = 1e-4
    largest = 0.0
    for axis in range(probe.shape[1]):
        shift = np.zeros(probe.shape[1])
        shift[axis] = h
        slope = (case.flow.velocity(probe + shift, 0.0) - case.flow.velocity(probe - shift, 0.0)) / (2 * h)
        largest = max(largest, float(np.abs(slope).max(initial=0.0)))
    fastest = float(np.abs(case.flow.velocity(probe, 0.0)).max(initial=0.0))
    return fastest / largest if largest and fastest else 1.0


def _at(case: Case) -> str:
    text = ", ".join(f"{name} = {value:g}" for name, value in case.values.items())
    return f" at {text}" if text else ""


def _round(value: float) -> str:
    return f"{value:.1g}"
