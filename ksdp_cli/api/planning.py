"""plan: what a simulation will be, before it runs; nothing is written."""

from __future__ import annotations

import contextlib
import math
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from .. import provenance
from ..base import compiling
from ..base import device as devices
from ..base.disk import free_bytes
from ..base.memory import available_memory
from ..base.threads import limit_threads
from ..errors import NumericalError
from ..particles import limits, preflight
from ..particles.case_run import CaseRun
from ..particles.origin import require_origin
from ..particles.precision import precision_warning
from ..particles.problem import Case, Problem
from ..particles.simulation import Simulation
from .clouds import pose_problem
from .field_grid import grid_of
from .options import SimulateOptions
from .pace import Pace, frame_bytes, peak_memory
from .start_warnings import warn_before_start

#: What a chemistry on a mesh says of its sizes and errors.
MESH = ("modes", "boxes", "side", "spline_order", "oversampling", "image_error", "delta_error", "aliasing_error")


class _Enough(Exception):  # it is no error
    """The trial has seen what it wanted."""


def plan(
    *, out: str | Path | None = None, threads: int | None = None, **options: Unpack[SimulateOptions]
) -> dict[str, object]:
    """What `simulate` with these options will be, JSON-able: thresholds, steps that are resolved, engine, mesh, cost.

    ``thresholds`` has an entry a case: critical mass 8 pi mu / chi and ``T_max``, the time since the start by which law
    (6) leaves no cloud. ``dt`` has the step asked for, the ``stable`` one and why. ``seconds``, ``memory_bytes`` and
    ``disk_bytes`` are of the whole run by one process, once its programs are compiled; they come from half a second of
    steps of the first case (on a GPU of all) that are taken in memory and thrown away. ``doubts`` are what `simulate`
    would warn of before its first step.

    Raises as `simulate` does before its first step.
    """
    with limit_threads(threads):
        problem = pose_problem(options)
        device = devices.choose(problem.config.place)
        preflight.require(problem)
        require_origin(problem)
        c = problem.config
        cloud = problem.initial.draw(c.J, c.dim, problem.cases[0].seed)
        grid_of(problem, cloud)
        doubts: list[str] = []
        warn_before_start(problem, cloud, precision_warning(problem, cloud), doubts.append)
        trial = Trial(problem, device)
        doubts += trial.doubts
        found = limits.step_limits(problem, trial.pull)
        return {
            "J": c.J,
            "dim": c.dim,
            "cases": len(problem.cases),
            "chemistry": provenance.short(c.chemistry),
            "thresholds": [_as_dict(one) for one in limits.thresholds(problem, cloud)],
            "dt": _of_dt(problem, found),
            "engine": trial.report.get("engine"),
            "device": device,
            "hardware": devices.describe(device),
            "mesh": {name: trial.report[name] for name in MESH if name in trial.report},
            "steps": trial.steps,
            "frames": len(c.snapshots) * len(problem.cases),
            "seconds_a_step": trial.a_step,
            "seconds": trial.seconds,
            "memory_bytes": trial.memory,
            "memory_available": available_memory(),
            "disk_bytes": len(c.snapshots) * frame_bytes(problem),
            "disk_free": free_bytes(Path(out) if out is not None else Path("runs")),
            "doubts": doubts,
        }


class Trial:
    """The first steps of a problem in memory: their pace, and what they say of engine, mesh and attraction.

    ``pull`` is that of `limits.step_limits`; ``a_step`` and ``seconds`` are None where no step was taken.
    """

    def __init__(self, problem: Problem, device: str) -> None:
        alone = problem if device != "cpu" else replace(problem, cases=problem.cases[:1])
        simulation, cases = Simulation(alone, device), len(problem.cases)
        self.steps = simulation.steps * cases // len(alone.cases)
        self.a_step: float | None = None
        self.seconds: float | None = None
        self.doubts: list[str] = []
        pace = Pace(simulation.steps, cases)

        def after_step(done: int) -> None:
            if pace.known(compiling.clock(), done):
                self._note(pace, done, len(problem.config.snapshots))
                raise _Enough

        simulation.start()
        try:
            with contextlib.suppress(_Enough):
                simulation.run(lambda k, clouds: None, after_step)
        except NumericalError as error:
            self.doubts.append(error.message)
        self.pull = simulation.max_kernel_displacement()[0]
        self.report = self._report(simulation.runs[0])
        size = simulation.runs[0].state.x.nbytes
        self.memory = peak_memory() + size * (cases + len(alone.cases))

    def _note(self, pace: Pace, done: int, frames: int) -> None:
        self.a_step = pace.a_step(compiling.clock(), done)
        self.seconds = self.a_step * self.steps + pace.a_frame() * frames

    def _report(self, run: CaseRun) -> dict[str, object]:
        report = run.stepper.report()
        self.doubts += preflight.warnings_of(report)
        return report


def _as_dict(one: limits.Threshold) -> dict[str, object]:
    case: Case = one.case
    return {
        "parameters": case.values,
        "M": case.mass,
        "critical_mass": one.critical,
        "M_over_critical": case.mass / one.critical if one.critical else None,
        "T_max": one.T_max,
        "says": one.says,
    }


def _of_dt(problem: Problem, found: list[limits.StepLimit]) -> dict[str, object]:
    first = next((limit for limit in found if limit.counts), None)
    return {
        "asked": problem.config.dt,
        "halvings": problem.config.halvings,
        "stable": first.dt if first else None,
        "reason": first.reason if first else "nothing limits the step",
        "limits": [
            {"dt": one.dt, "reason": one.reason, "counts": one.counts} for one in found if math.isfinite(one.dt)
        ],
    }
