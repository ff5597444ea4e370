"""simulate: pose a problem, integrate it, store it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Unpack

from .. import executors, provenance
from ..base import checkpoint
from ..base import device as devices
from ..base.bars import progress_bar
from ..base.files import target
from ..base.labels import counted, several
from ..base.listener import Listener, Progress, Say, Stop, as_warning
from ..base.signals import stop_or_sigint
from ..base.threads import limit_threads
from ..config import AUTO, SCHEME, SimulateConfig
from ..errors import Busy, ConfigError, KsdpError, NumericalError
from ..executors import Workers
from ..particles import preflight
from ..particles.origin import require_origin
from ..particles.precision import precision_warning
from ..particles.problem import Problem
from ..particles.quiet import initial_positions
from ..particles.world import Alone, World
from ..store import Header, Owner, Run, create, open_run, require_room
from . import paths
from .checkpoints import Checkpoints
from .clouds import pose_problem
from .detecting import finish
from .field_grid import describe, grid_of
from .headers import extend, header, header_on_resume, marks, run_id, snapshots_of, with_times
from .integrating import integrate
from .options import SimulateOptions
from .pace import frame_bytes, state_bytes
from .ranks import follow, leading, require_cards, require_ranks, share_threads
from .start_warnings import warn_before_start
from .sweeping import announce, bring_to_its_end, commands_of, conclude, go_on_one_by_one, require_names, sweep

#: Tenths of a second to wait for a store that another process owns.
OWNERSHIP = 600


def simulate(
    *,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    threads: int | None = None,
    workers: int | None = None,
    executor: str | None = None,
    case: int | None = None,
    world: World | None = None,
    progress: Progress | bool | None = None,
    stop: Stop | None = None,
    warn: Say | None = None,
    tell: Say | None = None,
    **options: Unpack[SimulateOptions],
) -> Run:
    """Simulate equation (8) and return the stored run.

    ``options`` are the fields of `ksdp_cli.config.SimulateConfig`, which 'ksdp simulate --help' lists (flow, kernel,
    dim, J, T, dt, mu, ...; flow and kernel by name or as your own class) and the parameters of flow and kernel by name,
    as ``A=100`` or ``A=[1, 10, 100]``. ``init`` may be a stored run, or STORE@A=10,t=0.02 for one frame: the run then
    starts at the frame's time, ``t0``, with a new Brownian path. ``T`` and ``snapshots`` count from ``t0``; the times
    in the store are those of equation (8). ``out`` defaults to a new name in ``./runs``. With ``resume`` the same call
    starts, continues, or returns the complete run; a longer ``T`` or later ``snapshots`` extend a complete run. The
    frames equal those of an uninterrupted run, bit for bit, on the same machine; of parabolic chemistry in free space
    with a later end, to its accuracy, since the boxes grow with T.

    ``threads`` is the largest number of threads; default all cores, or less by the environment (KSDP_THREADS,
    NUMBA_NUM_THREADS, OMP_NUM_THREADS) or a container's CPU quota. The numbers do not depend on it.

    Every physical parameter and ``seed`` may have several values; every combination is a case, and parameters in
    ``zip`` go in step. A case has the same bits as in a sweep of its seed alone.

    ``workers`` processes run the cases of a sweep in parallel, each with its share of the threads, into one store with
    the same bits; with ``resume`` only missing cases run. ``executor`` selects where, ``processes`` or ``NAME:PLACE``.
    ``case`` runs one case and leaves the others to other calls, in any process that sees the store: the first call lays
    it out, the last completes it.

    The ranks of a ``world`` (`ksdp_cli.particles.ranks.world_of`) move one cloud together, and all of them call this
    function. Rank 0 writes the store and prints; the bits are those of one process.

    ``progress(stage, done, total, note)`` is called about ten times a second; True draws a bar, also in a notebook.
    ``stop()`` may return a signal number: the run then saves its state and ends; by default Ctrl-C does so.
    ``warn(message)`` receives warnings, such as a step too long or a skipped checkpoint (default: `KsdpWarning`);
    ``tell(message)`` receives the expected time, memory and disk after the first steps.

    Raises `ConfigError`, `DataError` (output exists, or is another run), `ResourceError` (memory or disk),
    `NumericalError` (blow-up; the frames before it are kept) and `Interrupted`.
    """
    if workers is not None and workers < 1:
        raise ConfigError(f"workers = {workers} is too few", "use 1 or more")
    world = world or Alone()
    if world.rank:
        with stop_or_sigint(stop) as stop:
            return open_run(follow(world, stop=stop, threads=threads, **options))
    with (
        limit_threads(threads),
        share_threads(world),
        stop_or_sigint(stop) as stop,
        leading(world) as led,
        progress_bar(progress) as bar,
    ):
        listener = Listener(bar, stop, warn or as_warning, tell)
        run = _simulate(dict(options), out, overwrite, resume, listener, workers, executor, case, world)
        led(run.path)
    return run


def commands(out: str | Path | None, threads: int | None = None, **options: Unpack[SimulateOptions]) -> list[str]:
    """Return the command for each case of the sweep that ``options`` describe. Raises as `simulate`."""
    if out is None:
        raise ConfigError("commands that share a store need its name", "give it with -o")
    problem = pose_problem(options)
    require_names(problem)
    return commands_of(problem.config, len(problem.cases), out, threads)


def _simulate(
    options: dict[str, object],
    out: str | Path | None,
    overwrite: bool,
    resume: bool,
    listener: Listener,
    workers: int | None,
    executor: str | None,
    case: int | None,
    world: World,
) -> Run:
    if resume or case is not None:
        options = _as_begun(options, out)
    problem = pose_problem(options)
    if case is not None and (executor is not None or (workers or 1) > 1):
        raise ConfigError(
            f"--case {case} runs in this process, without --workers and --executor", "leave out either it or these"
        )
    _require_alone(problem.config, executor is not None or case is not None)
    require_ranks(world, problem, workers is not None or executor is not None or case is not None)
    device = devices.choose(problem.config.place)
    require_cards(world, problem, device)
    preflight.require(problem)
    require_origin(problem)
    draw = cache(lambda: initial_positions(problem, problem.cases[0]))
    grid = grid_of(problem, draw()) if problem.config.store_field or problem.config.field_side else None
    path = target(out) if out is not None else _to_resume(problem) if resume else None
    resume = resume or case is not None
    going_on = resume and path is not None and path.exists()

    def doubts() -> None:
        warn_before_start(problem, draw(), precision_warning(problem, draw()), listener.warn)

    def resume_header(run: Run) -> Header:
        result = header_on_resume(problem, run, device, grid)
        if not run.complete or result.times != run.header.times:
            precision_warning(problem, draw())
        return result

    def begin(place: Path) -> Owner:
        if not going_on:
            preflight.require_meaning(problem)
            precision_warning(problem, draw())  # refuses a cloud that no store can hold
            _require_room(problem, place, len(problem.config.snapshots), overwrite)
        return create(
            place,
            header(problem, grid),
            overwrite=overwrite,
            resume=resume,
            header_on_resume=resume_header,
        )

    if case is not None:
        return _one_case(problem, path, begin, case, device, listener, doubts)
    with contextlib.ExitStack() as open_ones:
        pool = _open_executor(problem, executor, workers)
        if pool is not None:
            open_ones.enter_context(pool)
        path, writer = paths.begin_output(path, _stem(problem.config), ".zarr", begin)
        open_ones.enter_context(writer)
        missing = len(writer.times) - writer.committed
        if missing:
            if going_on:
                _require_room(problem, path, missing)
            if writer.header.grid and listener.tell:
                listener.tell(describe(writer.header.grid))
            doubts()
            draw.cache_clear()  # the cloud would be there beside those that move
            whole = with_times(problem, snapshots_of(writer.header.config))
            if pool is not None:
                sweep(whole, writer, device, pool, listener)
            elif not (going_on and conclude(writer)):  # else other processes ended every case
                try:
                    watch = integrate(whole, writer, device, resume, listener, world)
                except NumericalError:
                    if len(whole.cases) == 1:
                        raise
                    go_on_one_by_one(whole, writer, device, listener, world)
                else:
                    if watch.stopped:
                        return _open_result(problem, path, listener)
        _finish(problem, writer)
    return _open_result(problem, path, listener)


def _open_result(problem: Problem, path: Path, listener: Listener) -> Run:
    """The run, and a sentence where it ended at its collapse, with what ``problem`` asks for after that."""
    run = open_run(path)
    stop, say = run.attrs.get("stopped"), listener.tell or listener.warn
    if stop and say:
        left = stop["not_reached"]
        later = [t for t in problem.config.times if t > stop["t"] * (1 + 1e-12)]
        now = [t for t in later if not any(abs(t - one) <= 1e-9 * abs(one) for one in left)]
        missing = f"; not reached: {several([f't = {t:.6g}' for t in left])}" if left else ""
        more = f"; nor does it go on to {several([f't = {t:.6g}' for t in now])}, asked for now" if now else ""
        say(f"{stop['why']}; the run stops there, as --merge stop says{missing}{more}")
    return run


def _require_alone(config: SimulateConfig, apart: bool) -> None:
    """Raise `ConfigError` where a run that stops at its collapse is given to another process."""
    if config.merge == "stop" and apart:
        raise ConfigError(
            "--merge stop is not possible in another process", "leave --case, --workers and --executor out"
        )


def _open_executor(problem: Problem, executor: str | None, workers: int | None) -> Workers | None:
    """Return the executor of the cases, or None if this process runs them. Raises `ConfigError` if it cannot."""
    if executor is None and (workers is None or workers == 1 or len(problem.cases) == 1):
        return None
    require_names(problem)
    return executors.open_executor(executor or executors.DEFAULT, workers)


def _finish(problem: Problem, owner: Owner) -> None:
    """Seal a store that has every frame; keep states that hold more than its last frame."""
    files = Checkpoints(owner.path)
    if problem.chemistry.memory:
        files.tidy()
    else:
        files.remove()
    owner.commit()  # what others have written counts
    finish(problem, owner)


def _one_case(
    problem: Problem,
    path: Path | None,
    begin: Callable[[Path], Owner],
    case: int,
    device: str,
    listener: Listener,
    doubts: Callable[[], None],
) -> Run:
    """Run one case of the store at ``path``; lay the store out if it does not exist."""
    if path is None:
        raise ConfigError(f"case {case} of a store without a name", "give the store with -o")
    if not 0 <= case < len(problem.cases):
        raise ConfigError(f"case = {case}", f"this sweep has cases 0 to {len(problem.cases) - 1}")
    with _begin_when_free(path, begin) as owner:
        whole = with_times(problem, snapshots_of(owner.header.config))
        missing = owner.committed < len(owner.times)
        if missing:
            announce(whole, owner, device)
        else:
            _finish(whole, owner)  # the call that ended the last case may have been killed before this
    if missing:
        doubts()
        bring_to_its_end(whole, owner.path, case, device, listener)
        with _begin_when_free(path, begin) as owner:
            if conclude(owner):
                _finish(problem, owner)
    return open_run(path)


def _begin_when_free(path: Path, begin: Callable[[Path], Owner]) -> Owner:
    """Call ``begin(path)`` when no other process owns the store; a process with one case owns it only for moments."""
    for _ in range(OWNERSHIP):
        try:
            return begin(path)
        except Busy:
            time.sleep(0.1)
    return begin(path)


def _require_room(problem: Problem, path: Path, frames: int, replaces: bool = False) -> None:
    """Raise `ResourceError` unless ``frames`` and a state of each case fit; the states go when every case is done."""
    files = Checkpoints(path)
    states = sum(replaces or not checkpoint.exists(files.of(number)) for number in range(len(problem.cases)))
    what = f"{counted(frames, 'frame')} of {counted(problem.config.J, 'particle')}, with the state of every case,"
    require_room(path, frames * frame_bytes(problem) + states * state_bytes(problem), what, replaces)


def _as_begun(options: dict[str, object], out: str | Path | None) -> dict[str, object]:
    """``options``, where ``--dt auto`` names no scheme, with that of the store that they go on with.

    A store may have begun with another, named or the default of an earlier version.
    """
    if options.get("dt") != "auto" or options.get("scheme") is not None:
        return options
    if out is None:
        begun = (options | {"scheme": one} for one in (AUTO["scheme"], SCHEME))
        return next((one for one in begun if _to_resume(pose_problem(one))), options)
    try:
        scheme = open_run(target(out)).config.get("scheme")
    except KsdpError:  # nothing is there, or nothing to go on with: `create` tells
        return options
    return options | {"scheme": scheme}


def _stem(config: SimulateConfig) -> str:
    return paths.slug(f"{provenance.short(config.flow)}-{config.dim}d")


def _to_resume(problem: Problem) -> Path | None:
    """The newest run in the run folder of this configuration, or None."""
    identity = run_id(problem.config, marks(problem))
    candidates = paths.RUNS.glob(f"{_stem(problem.config)}-*.zarr")
    for path in sorted(candidates, key=lambda p: p.stat().st_mtime_ns, reverse=True):
        try:
            run = open_run(path)
            same = run_id(SimulateConfig.model_validate(run.config), run.attrs) == identity
        except (KsdpError, ValueError):
            continue
        if not same:
            continue
        snapshots = snapshots_of(run.config)
        if extend(problem, snapshots).config.snapshots[: len(snapshots)] == snapshots:
            return path
    return None
