"""simulate: a problem posed, integrated and stored."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from .. import device as devices
from .. import provenance
from ..config import SimulateConfig
from ..errors import DataError, Interrupted, KsdpError, NumericalError
from ..particles import checkpoint, preflight
from ..particles.integrator import Simulation, State
from ..particles.problem import Problem, pose
from ..store import Header, Run, Writer, create, open_run
from . import paths
from .clouds import opened

Progress = Callable[..., None]
CHECKPOINT_SECONDS = 30.0


def simulate(
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    progress: Progress | None = None,
    stop: Callable[[], int | None] | None = None,
    warn: Callable[[str], None] | None = None,
    **options: Any,
) -> Run:
    """Simulate equation (8) and return the stored run.

    ``options`` are the fields of `SimulateConfig` (flow, kernel, dim, J, T, dt, mu, ...; the flow and kernel by name,
    or as a class of your own) and the flow's and kernel's parameters by name, as ``A=100`` or ``A=[1, 10, 100]``.
    ``out`` defaults to a fresh name in ``./runs``. With ``resume`` the same call starts, goes on, or finds the run
    complete. ``progress(stage, done, total, note)`` is called about ten times a second, ``stop()`` may return a
    signal number to checkpoint and leave, ``warn(message)`` receives doubts about the step size.

    Raises `ConfigError`, `DataError` (output exists, or is another run), `NumericalError` (blow-up; the frames
    before it are kept) and `Interrupted`.
    """
    problem = pose(options | {"init": opened(options.get("init"))})
    chosen = devices.choose(problem.config.device)
    for doubt in preflight.doubts(problem):
        if warn:
            warn(doubt)
    preflight.require_memory(problem)
    path = Path(out) if out is not None else _default_path(problem, resume)
    writer = create(path, _header(problem), overwrite=overwrite, resume=resume)
    with writer:
        if writer.committed < len(writer.times):
            _integrate(problem, writer, path, chosen, progress, stop)
        writer.finish()
    _forget(path)
    return open_run(path)


def _integrate(
    problem: Problem,
    writer: Writer,
    path: Path,
    chosen: str,
    progress: Progress | None,
    stop: Callable[[], int | None] | None,
) -> None:
    config = problem.config
    simulation = Simulation(problem, chosen)
    _load_or_start(simulation, path)
    began, saved, drawn, first = time.monotonic(), time.monotonic(), 0.0, simulation.done()

    def write(k: int, frame: Any) -> None:
        if k >= writer.committed:  # a frame behind the checkpoint is there already, bit for bit
            writer.write_frame(k, frame.astype("float32", copy=False))
            writer.commit(k)

    def after_step(done: int) -> None:
        nonlocal saved, drawn
        now = time.monotonic()
        if progress and (now - drawn > 0.1 or done == simulation.steps):
            drawn = now
            rate = (done - first) / max(now - began, 1e-9)
            progress("steps", done, simulation.steps, f"{rate:.3g} steps/s")
        signal_number = stop() if stop else None
        if signal_number is None and now - saved < CHECKPOINT_SECONDS:
            return
        _save(simulation, path)
        saved = now
        if signal_number is not None:
            raise Interrupted(
                f"stopped by signal {signal_number} at step {done} of {simulation.steps}; the state is saved",
                signal_number,
                f"the same command with --resume and -o {path} goes on from here",
            )

    try:
        simulation.run(write, after_step)
    except NumericalError as error:
        advice = preflight.diagnose(problem, simulation.snapshot())
        raise NumericalError(f"{error.message}; {advice}", f"{error.hint}; earlier frames are kept in {path}") from None
    seconds = time.monotonic() - began
    writer.annotate(
        seconds=seconds,
        steps=simulation.steps,
        hardware=devices.describe(chosen),
        engine=[engine.report() for engine in simulation.engines],
    )


def _load_or_start(simulation: Simulation, path: Path) -> None:
    """Go on from the checkpoint of this very run if there is one, else from t = 0."""
    file = _checkpoint_path(path)
    if checkpoint.exists(file):
        header, arrays = checkpoint.load(file)
        if header["run"] == _run_id(simulation.config):
            simulation.restore(State(arrays["x"], header["k"], header["case"], header["step"], header["engines"]))
            return
    simulation.start()


def _save(simulation: Simulation, path: Path) -> None:
    state = simulation.snapshot()
    header = {
        "run": _run_id(simulation.config),
        "k": state.k,
        "case": state.case,
        "step": state.step,
        "engines": state.engines,
    }
    checkpoint.save(_checkpoint_path(path), header, {"x": state.x})


def _run_id(config: SimulateConfig) -> str:
    """What a checkpoint belongs to: the configuration without the end time, which may be moved."""
    fields = config.model_dump(mode="json")
    return provenance.digest({name: value for name, value in fields.items() if name not in ("T", "snapshots")})


def _checkpoint_path(path: Path) -> Path:
    return path.with_name(path.name + ".checkpoint")


def _forget(path: Path) -> None:
    """Remove the checkpoint of a run that is complete."""
    file = _checkpoint_path(path)
    for leftover in (file, file.with_name(file.name + ".previous")):
        leftover.unlink(missing_ok=True)


def _header(problem: Problem) -> Header:
    config = problem.config
    swept = config.swept()
    return Header(
        kind="simulation",
        times=config.snapshots,
        particles=config.J,
        dim=config.dim,
        cases={name: tuple(case.values[name] for case in problem.cases) for name in swept},
        case_count=len(problem.cases),
        units=problem.units,
        config=config.model_dump(mode="json"),
        attrs={
            "seed": config.seed,
            "versions": provenance.versions(),
            "command": provenance.command("simulate", config),
        },
    )


def _default_path(problem: Problem, resume: bool) -> Path:
    """A fresh name in the run folder; when resuming, the newest run there of this configuration."""
    config = problem.config
    stem = paths.slug(f"{provenance.short(config.flow)}-{config.dim}d")
    if resume:
        wanted = _run_id(config)
        for path in sorted(paths.RUNS.glob(f"{stem}-*.zarr"), key=lambda p: p.stat().st_mtime_ns, reverse=True):
            try:
                found = SimulateConfig.model_validate(open_run(path).config)
            except (KsdpError, ValueError):
                continue
            if _run_id(found) == wanted:
                return path
    return paths.fresh(stem, ".zarr")


def free_bytes(path: Path) -> int:
    """Room on the disk that holds ``path``."""
    there = path.resolve()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def require_room(path: Path, size: int) -> None:
    """Raise `DataError` before the first byte when a store cannot fit on its disk."""
    if size > free_bytes(path):
        raise DataError(f"{path} needs {size / 1e9:.3g} GB and the disk has {free_bytes(path) / 1e9:.3g} GB free")
