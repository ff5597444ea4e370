"""plan: predict thresholds, steps and cost of a simulation; write nothing."""

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
from ..particles.quiet import initial_positions
from ..particles.simulation import Simulation
from .clouds import pose_problem
from .field_grid import grid_of
from .mesh_at_end import MORE, mesh_at_end
from .options import SimulateOptions
from .pace import Pace, frame_bytes, peak_memory, state_bytes
from .start_warnings import warn_before_start

#: Entries of the report of a mesh about its sizes and errors.
MESH = ("modes", "boxes", "side", "spline_order", "oversampling", "image_error", "delta_error", "aliasing_error")
#: With delta = 0, or a chemical that is 0 at the start.
UNKNOWN = "no limit is known, since attraction only grows in the run"


class _Enough(Exception):  # it is no error
    """The trial has timed enough steps."""


def plan(
    *, out: str | Path | None = None, threads: int | None = None, **options: Unpack[SimulateOptions]
) -> dict[str, object]:
    """Predict a run of `simulate` with these options, as JSON: thresholds, resolved steps, engine, mesh, cost.

    ``thresholds`` has an entry for each case: critical mass 8 pi mu / chi and ``T_max``, the time since the start at
    which law (6) reaches 0. ``dt`` has the given step, the ``stable`` one and the reason. ``seconds``, ``memory_bytes``
    and ``disk_bytes`` (frames, and a state of each case) are for the whole run by one process, without compilation.
    They come from half a second of steps of the first case (on a GPU of all cases), in memory only, and where a flow
    draws the cloud out from one with the mesh of parabolic chemistry at T. ``doubts`` are the
    warnings of `simulate` before its first step.

    Raises as `simulate` does before its first step.
    """
    with limit_threads(threads):
        problem = pose_problem(options)
        device = devices.choose(problem.config.place)
        preflight.require(problem)
        preflight.require_meaning(problem)
        require_origin(problem)
        c = problem.config
        cloud = initial_positions(problem, problem.cases[0])
        grid_of(problem, cloud)
        doubts: list[str] = []
        warn_before_start(problem, cloud, precision_warning(problem, cloud), doubts.append)
        trial = Trial(problem, device)
        mesh = mesh_at_end(problem, cloud)
        if mesh and mesh.grows > MORE:
            trial.grow(mesh.seconds())
        doubts += trial.doubts
        step_limits_ = limits.step_limits(problem, trial.pull)
        return {
            "J": c.J,
            "dim": c.dim,
            "cases": len(problem.cases),
            "chemistry": provenance.short(c.chemistry),
            "thresholds": [_as_dict(one) for one in limits.thresholds(problem, cloud)],
            "dt": _of_dt(problem, step_limits_),
            "engine": trial.report.get("engine"),
            "device": device,
            "hardware": devices.describe(device),
            "mesh": {name: trial.report[name] for name in MESH if name in trial.report},
            "steps": trial.steps,
            "frames": len(c.snapshots) * len(problem.cases),
            "seconds_a_step": trial.a_step,
            "seconds_a_step_at_T": trial.at_T,
            "seconds": trial.seconds,
            "memory_bytes": trial.memory,
            "memory_available": available_memory(),
            "disk_bytes": len(c.snapshots) * frame_bytes(problem) + len(problem.cases) * state_bytes(problem),
            "disk_free": free_bytes(Path(out) if out is not None else Path("runs")),
            "doubts": doubts,
        }


class Trial:
    """The first steps of a problem, in memory: their timing, and the reports of engine, mesh and attraction.

    ``pull`` is the argument of `limits.step_limits`; ``a_step`` and ``seconds`` are None without a step.
    """

    def __init__(self, problem: Problem, device: str) -> None:
        alone = problem if device != "cpu" else replace(problem, cases=problem.cases[:1])
        simulation, cases = Simulation(alone, device), len(problem.cases)
        self.steps = simulation.steps * cases // len(alone.cases)
        self.a_step: float | None = None
        self.seconds: float | None = None
        self.at_T: float | None = None
        self.doubts: list[str] = []
        pace = Pace(simulation.steps, cases)

        def after_step(done: int) -> None:
            if pace.is_ready(compiling.clock(), done):
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

    def grow(self, more: float) -> None:
        """Let steps take ``more`` seconds at T than at the start, in between in proportion."""
        if self.a_step is not None and self.seconds is not None:
            self.at_T = self.a_step + more
            self.seconds += self.steps * more / 2
            self.memory = max(self.memory, peak_memory())

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


def _of_dt(problem: Problem, step_limits_: list[limits.StepLimit]) -> dict[str, object]:
    first = next((limit for limit in step_limits_ if limit.counts), None)
    attracts = any(case.chi * case.mass for case in problem.cases)
    return {
        "asked": problem.config.dt,
        "halvings": problem.config.halvings,
        "stable": first.dt if first else None,
        "reason": first.reason if first else UNKNOWN if attracts else "nothing limits the step",
        "limits": [
            {"dt": one.dt, "reason": one.reason, "counts": one.counts} for one in step_limits_ if math.isfinite(one.dt)
        ],
    }
