"""Checks before a run, of step sizes and memory, and the description of a cloud after a blow-up."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from ..base.labels import counted
from ..base.memory import available_memory
from ..base.shapes import Cloud
from ..errors import ConfigError, ResourceError
from ..initial.stored import StoredCloud
from .collapse import mass_within_delta
from .engines.choice import tree_pays
from .intervals import intervals
from .problem import Case, Problem
from .stepper import LARGEST

#: Largest distance that the flow moves a particle in a halved step, relative to its length scale.
FLOW_FRACTION = 0.1
#: Largest distance that attraction should move a particle in one step, relative to delta.
KERNEL_FRACTION = 0.5
#: Number of steps: the noise counter has 32 bits for it.
MOST_STEPS = 2**32


def kernel_warning(pull: float, dt: float, t: float, case: Case) -> str | None:
    """A warning if the kernel's force has moved a particle by too much, ``pull`` times delta, in a step before
    ``t``."""
    if not pull > KERNEL_FRACTION:
        return None
    word = "attraction" if case.chi > 0 else "repulsion"
    return (
        f"by t = {t:.3g}{case.place} the {word} moves particles by {pull:.2g} delta in one step of dt = {dt:g}; "
        f"smaller scales are not resolved; use --dt {rounded(dt * KERNEL_FRACTION / pull)}"
    )


def accuracy_warning(report: Mapping[str, object], dtype: str, t: float, case: Case) -> str | None:
    """A warning if an engine has measured, before ``t``, an error above its target; or None."""
    worst, target = report.get("worst_error"), report.get("target")
    if not (isinstance(worst, (int, float)) and isinstance(target, (int, float)) and worst > target):
        return None
    finer = "--dtype float64, " if dtype == "float32" else ""
    return (
        f"by t = {t:.3g}{case.place} the {report['engine']} engine has an error of {worst:.2g} of the force, above "
        f"--accuracy {target:g}; use {finer}--engine direct or a larger --accuracy"
    )


def warnings_of(report: Mapping[str, object]) -> list[str]:
    """The sentences of a chemistry's report."""
    warnings = report.get("warnings")
    return [str(one) for one in warnings] if isinstance(warnings, (list, tuple)) else []


def engine_warning(report: dict[str, object], engine: str) -> str | None:
    """A warning if ``engine`` is "mesh" but the tree replaced it; or None."""
    note = report.get("note")
    return f"the tree replaces the mesh: {note}" if note and engine == "mesh" else None


def require(problem: Problem) -> None:
    """Check a problem before anything is written.

    Raises `ConfigError` for too many steps, an accuracy below rounding, or a parameter out of range, and
    `ResourceError` if positions and drift alone exceed the free memory.
    """
    c = problem.config
    count = c.T / c.dt
    if count < MOST_STEPS:
        count = sum(part.count for part in intervals(c.snapshots, c.dt))
    if count >= MOST_STEPS:
        message = f"T = {c.T:g} takes {count:.3g} steps of dt = {c.dt:g}"
        raise ConfigError(message, f"use a larger --dt: at most {MOST_STEPS:.3g} steps are possible")
    finest = float(np.finfo(c.dtype).eps)
    approximate = tree_pays(c.J, c.dim, c.accuracy) if c.engine == "auto" else c.engine != "direct"
    if c.accuracy < finest and approximate:
        message = f"--accuracy {c.accuracy:g} is below {finest:.2g}, the rounding of {c.dtype}"
        raise ConfigError(message, "use --engine direct, or a larger --accuracy")
    for name, values in c.parameters().items():
        if max(abs(value) for value in values) > LARGEST:
            raise ConfigError(f"{name} = {values[0]:g} is out of the range of float32", f"use at most {LARGEST:g}")
    width = 4 if c.dtype == "float32" else 8
    need, have = c.J * c.dim * (width * (len(problem.cases) + 6) + 8), available_memory()
    if need > have:
        cases = counted(len(problem.cases), "case")
        raise ResourceError(
            f"J = {c.J} particles in {cases} need at least {need / 2**30:.3g} GiB of memory, "
            f"but {have / 2**30:.3g} GiB are available",
            "use a smaller --J or sweep fewer values",
        )


def require_meaning(problem: Problem) -> None:
    """Raise `ConfigError` for an option of a new run that would change nothing; runs stored earlier may hold one."""
    c = problem.config
    if c.chemistry != "ksdp:parabolic":
        return
    if c.engine != "auto":
        raise ConfigError(f"engine {c.engine!r} with parabolic chemistry, which sums no pairs", "drop --engine")
    for case in problem.cases:
        sizes = case.chemistry_params.model_dump() if case.chemistry_params else {}
        if sizes["box"] and sizes["boxes"] > 1:
            raise ConfigError(f"boxes = {sizes['boxes']} in a periodic box", "give --box or --boxes")


def step_warning(problem: Problem) -> str | None:
    """A warning if dt is longer than the whole run, or None."""
    c = problem.config
    if c.halvings or not 0 < c.T < c.dt:
        return None
    steps = counted(sum(part.count for part in intervals(c.snapshots, c.dt)), "step")
    return f"dt = {c.dt:g} is longer than T = {c.T:g}: the run takes {steps}; use a smaller --dt"


def chemical_warning(problem: Problem) -> str | None:
    """A warning if a stored cloud that has moved for a while starts without a chemical, or None."""
    initial = problem.initial
    if not (isinstance(initial, StoredCloud) and initial.t > 0 and problem.chemistry.memory and problem.c0 == "zero"):
        return None
    return (
        f"the cloud of {initial.path} is at t = {initial.t:g}, and c starts from 0; --c0 {initial.path} goes on from "
        "its chemical, if it is stored"
    )


def diagnose(problem: Problem, case: Case, x: Cloud) -> str:
    """Describe the cloud ``x`` (J, d) of a case: smallest pair distance and largest mass within delta."""
    from scipy.spatial import cKDTree

    x = x.astype(np.float64)
    delta = math.sqrt(case.kernel_args[0])
    if len(x) < 2:
        return "the only particle has no neighbour"
    tree = cKDTree(x)
    nearest = float(tree.query(x, k=2)[0][:, 1].min())
    distance = f"smallest pair distance {nearest:.3g} against delta = {delta:.3g}"
    return f"{distance}, {mass_within_delta(problem, case, x)}" if case.mass and delta else distance


def flow_rate(case: Case, probe: np.ndarray, t: float) -> float:
    """max |grad v| at ``t`` [1 / time], by central differences at the points ``probe`` (n, d)."""
    h = 1e-4
    largest = 0.0
    with np.errstate(over="ignore", invalid="ignore"):
        for axis in range(probe.shape[1]):
            shift = np.zeros(probe.shape[1])
            shift[axis] = h
            slope = (case.flow.velocity(probe + shift, t) - case.flow.velocity(probe - shift, t)) / (2 * h)
            largest = max(largest, float(np.abs(slope).max(initial=0.0)))
    return largest


def rounded(value: float) -> str:
    """``value`` rounded down to one digit."""
    unit = 10.0 ** math.floor(math.log10(value))
    return f"{math.floor(value / unit * (1 + 1e-9)) * unit:.1g}"
