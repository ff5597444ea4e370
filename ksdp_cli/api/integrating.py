"""Integrate a problem into a store, to its end or to where it must stop.

Committed frames and whole checkpoints are on the disk. A run killed at any moment repeats the steps since its last
checkpoint, bit for bit, and skips the frames that are already stored.
"""

from __future__ import annotations

from dataclasses import replace

from ..base.listener import Listener
from ..errors import NumericalError
from ..particles import preflight
from ..particles.problem import Problem
from ..particles.simulation import Simulation
from ..particles.world import World
from ..store import Owner, change_times, open_run
from .case_store import CaseStore
from .checkpoints import Checkpoints
from .detecting import finish
from .following import seen_end
from .headers import MADE_BY, header, snapshots_of, with_times
from .ranks import hand_over
from .resuming import restore
from .watch import Collapsed, Watch, fields


def integrate(
    problem: Problem,
    writer: Owner | CaseStore,
    device: str,
    resume: bool,
    listener: Listener,
    world: World | None = None,
) -> Watch:
    """Write every missing frame, of all cases of a store or of one; return the `Watch` of the run.

    The other ranks of ``world`` call `follow`. With ``--merge stop`` the run may end at its collapse: the store is then
    complete, and `Watch.stopped` is set. Raises `NumericalError` at blow-up, after storing the frames before it, and
    `Interrupted` on a signal.
    """
    simulation = Simulation(problem, device, world=world)
    kind = {"device": device, "engine": simulation.runs[0].kind}
    seconds = restore(simulation, writer, resume, listener.warn, kind)
    # a run killed between its last checkpoint and the end of its store has no step left
    end = seen_end(simulation.moving) if problem.config.merge == "stop" else None
    if not end:
        hand_over(simulation, listener.stop)
    watch = Watch(simulation, writer, listener, seconds, kind)
    try:
        if end:
            raise Collapsed(end)
        simulation.run(watch.write, watch.after_step)
        if problem.chemistry.memory:
            watch.save()  # the states are more than the last frame: a later end goes on from them
    except Collapsed as collapsed:
        watch.stopped = _stop(watch, collapsed)
    except NumericalError as error:
        simulation.snapshot()
        advice = preflight.diagnose(problem, simulation.moving.case, simulation.moving.state.x)
        raise NumericalError(f"{error.message}; {advice}; {_keep(watch, error.message)}", error.hint) from None
    return watch


def _keep(watch: Watch, message: str) -> str:
    """Keep the last good cloud as the last frame of a store that ends there; a sentence on what is kept.

    The cases of a sweep are not at one time, so that only their common frames are kept.
    """
    writer = watch.writer
    if writer.header.case_count > 1 or isinstance(writer, CaseStore):
        watch.save()  # so that the others go on from here, and this one is not run again to its end
        return f"the frames before it are kept in {writer.path} ({writer.committed})"
    times = snapshots_of(writer.header.config)[: writer.committed]
    frames = _end_here(watch, writer, _with(times, watch.simulation.moving.elapsed()), blow_up=message)
    return f"{writer.path} ends at the last good step (frames: {frames})"


def _stop(watch: Watch, end: Collapsed) -> dict[str, object]:
    """End the store at the collapse; what it then says of that."""
    writer, simulation = watch.writer, watch.simulation
    assert isinstance(writer, Owner)  # a case alone is not stopped
    simulation.snapshot()
    attrs, t, times = open_run(writer.path).attrs, simulation.moving.time(), snapshots_of(writer.header.config)
    # a run killed at its stop comes here again; its store may end there by now, and its steps are then of other lengths
    stop: dict[str, object] | None = attrs.get("stopped")
    if stop is None:
        remaining = [float(one) for one in writer.times if one > t * (1 + 1e-12)]
        stop = {"t": t, "why": end.why, "not_reached": remaining}
        times = _with(times[: writer.committed], simulation.moving.elapsed())
    _end_here(watch, writer, times, stopped=stop, command=attrs["command"])
    return stop


def _with(times: tuple[float, ...], t: float) -> tuple[float, ...]:
    """``times`` and ``t``, if it is later."""
    return (*times, t) if not times or t > times[-1] else times


def _end_here(watch: Watch, writer: Owner, times: tuple[float, ...], **facts: object) -> int:
    """Complete the store with the cloud as it is as the last frame of ``times``, and ``facts``; the number of its
    frames.

    The facts come with the new times: a run killed after that is known to have ended here.
    """
    problem, moving = watch.simulation.problem, watch.simulation.moving
    shorter = header(with_times(problem, times), writer.header.grid)
    end = change_times(writer, replace(shorter, attrs=shorter.attrs | facts | {MADE_BY: watch.kind}))
    end.annotate(**watch.facts())
    with end.case(0) as case:
        if case.committed < len(times):
            case.write(len(times) - 1, moving.state.x, *fields(moving, end.header.grid))
    end.commit()
    Checkpoints(writer.path).remove()
    finish(problem, end)
    return len(times)
