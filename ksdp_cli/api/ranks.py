"""Move one cloud on the ranks of a world: rank 0 owns the store, decides and prints; the others move their particles.

Rank 0 sends the problem and the states, so the others neither read nor write a store. When rank 0 does work of its own,
the others wait and learn whether it succeeded.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from ..base.listener import Stop
from ..base.shapes import Cloud
from ..base.signals import early_end
from ..base.threads import core_count, limit_threads
from ..errors import ConfigError, Interrupted, KsdpError, NumericalError, ReportedElsewhere, ResourceError
from ..particles import cards
from ..particles.case_run import State
from ..particles.gpu_shares import BLOCK
from ..particles.problem import Problem
from ..particles.ranks import world_of
from ..particles.simulation import Simulation
from ..particles.world import Lost, World
from .clouds import pose_problem
from .headers import with_times
from .options import SimulateOptions
from .shard_writing import write_shards

#: Entries of a state besides its arrays.
PARTS = ("k", "step", "engine", "collapsed", "place")
#: In the place of a signal's number: the run ends because of what it has come to.
OVER = 1000


@dataclass(frozen=True)
class Job:
    """A job for the other ranks: snapshots, scheme and cases of a problem, and the states to start from, without the
    elements of their arrays."""

    snapshots: tuple[float, ...]
    scheme: str
    device: str
    cases: list[int]
    states: list[dict[str, Any]]
    arrays: list[dict[str, tuple[tuple[int, ...], str]]]


@dataclass(frozen=True)
class Outcome:
    """The exit code of rank 0, and the store that it completed."""

    exit_code: int
    path: str = ""


class Differ(ResourceError):
    """The positions of the ranks differ."""


class LostElsewhere(ReportedElsewhere):
    """`Lost`, reported by another remaining rank."""


@contextlib.contextmanager
def join_world(kind: str | None) -> Iterator[World]:
    """Join the world of this process (`world_of`) and close it at the end. If a rank is lost, one of the others raises
    `Lost` and the rest `LostElsewhere`."""
    world = world_of(kind)
    try:
        yield world
    except BaseException as error:
        if isinstance(error, Lost):
            if not world.first():
                raise LostElsewhere(error.exit_code) from None
        elif isinstance(error, ReportedElsewhere) or (isinstance(error, KsdpError) and world.rank == 0):
            world.close()
        else:
            world.first()  # this rank tells
        raise
    world.close()


@contextlib.contextmanager
def share_threads(world: World) -> Iterator[None]:
    """Divide the threads of this host among its ranks in the block."""
    with limit_threads(max(1, core_count() // world.local) if world.size > 1 else None):
        yield


@contextlib.contextmanager
def leading(world: World) -> Iterator[Callable[[Path], None]]:
    """Run rank 0's work in the block, while the others `follow`; then send them the exit code, and the store path that
    the yielded function received. After an unexpected error they notice the loss of this rank. A signal ends all ranks:
    at once before `hand_over`, and after a step from then on."""
    path = Path()

    def note_store(store: Path) -> None:
        nonlocal path
        path = store

    try:
        with early_end():
            yield note_store
    except Lost:
        raise
    except KsdpError as error:
        with contextlib.suppress(Lost):
            world.decide(Outcome(error.exit_code))
        raise
    with contextlib.suppress(Lost):
        world.decide(Outcome(0, str(path)))


def require_ranks(world: World, problem: Problem, apart: bool) -> None:
    """Raise `ConfigError` if the ranks cannot share the run: cases run in other processes (``apart``), or there are
    too few particles."""
    if world.size == 1:
        return
    if apart:
        raise ConfigError(
            f"{world.size} ranks and processes for cases cannot be combined",
            "leave --workers and --case out, or the ranks",
        )
    if world.size > problem.config.J:
        raise ConfigError(f"J = {problem.config.J} on {world.size} ranks is not possible", "use fewer ranks")
    if problem.config.sampling == "quiet":
        raise ConfigError(f"--sampling quiet on {world.size} ranks: a pair may be on two", "use one process")


def require_cards(world: World, problem: Problem, device: str) -> None:
    """On cards have this rank take its own. Raises `ConfigError` where a host has fewer than ranks, or a rank would
    have no block of particles."""
    cards.take(world, device)
    if device == "cuda" and world.size > -(-problem.config.J // BLOCK):
        raise ConfigError(
            f"J = {problem.config.J} on {world.size} cards is not possible",
            f"use fewer ranks: {BLOCK} particles on each at least",
        )


def hand_over(simulation: Simulation, stop: Stop | None) -> None:
    """On rank 0: send the cases of ``simulation`` and their states to the other ranks."""
    world, states = simulation.world, [run.state for run in simulation.runs]
    if world.size == 1:
        return
    if stop:
        stop()  # from now on a signal waits for the end of a step, where the ranks agree
    world.decide(
        Job(
            simulation.config.snapshots,
            simulation.config.scheme,
            simulation.device,
            [run.case.number for run in simulation.runs],
            [{name: getattr(state, name) for name in PARTS} for state in states],
            [{name: (array.shape, array.dtype.str) for name, array in state.arrays.items()} for state in states],
        )
    )
    for state in states:
        _from_first(world, state.arrays)


def compare(world: World, clouds: Sequence[Cloud]) -> None:
    """Raise `Differ` if ``clouds`` (J, d) differ from those of the other ranks."""
    if world.size > 1:
        for cloud in clouds:
            _require_same(world, cloud)


def by_first(world: World, work: Callable[[], None]) -> None:
    """Run ``work`` on rank 0; its error ends the other ranks too."""
    failure = None
    try:
        if world.rank == 0:
            work()
    except KsdpError as error:
        failure = error
    code = world.decide(failure.exit_code if failure else 0)
    if failure:
        raise failure
    if code:
        raise ReportedElsewhere(code)


def follow(
    world: World, *, stop: Stop | None = None, threads: int | None = None, **options: Unpack[SimulateOptions]
) -> str:
    """On ranks other than 0: move a share of the particles until rank 0 ends; return the path of its store.

    ``options`` are those of rank 0's `simulate`, without the ones about the store. Raises `ReportedElsewhere` with the
    exit code of rank 0 if it is not 0, and `Lost`.
    """
    if stop:
        stop()  # a signal waits for the end of a step, where the ranks agree
    problem, failure = None, None
    unheard: Job | Outcome | None = None
    try:
        problem = pose_problem(options)
    except KsdpError as error:
        failure = error  # as on rank 0, which tells of it; or this rank alone is in trouble
    while isinstance(decision := world.decide(unheard), Job):
        if problem is None:
            assert failure is not None
            raise failure
        if decision.scheme != problem.config.scheme:  # that of the store that rank 0 resumes
            problem = pose_problem(dict(options) | {"scheme": decision.scheme})
        with (
            limit_threads(threads),
            share_threads(world),
            contextlib.suppress(NumericalError, Interrupted, Differ, ReportedElsewhere),
        ):
            _move(problem, decision, world, stop)
    assert isinstance(decision, Outcome)
    if decision.exit_code:
        raise ReportedElsewhere(decision.exit_code)
    return decision.path


def stop_request(world: World, stop: Stop | None, due: bool = False, over: bool = False) -> tuple[int | None, bool]:
    """Return the number of a signal that any rank received, or `OVER` if the run is ``over`` on rank 0; and whether a
    checkpoint is ``due`` on rank 0."""
    own = np.array([OVER if over else (stop() if stop else None) or 0, due and world.rank == 0], np.float64)
    number, save = world.largest(own).tolist()
    return int(number) or None, bool(save)


def _move(problem: Problem, job: Job, world: World, stop: Stop | None) -> None:
    """Run the steps of ``job`` on a rank other than 0."""
    require_cards(world, problem, job.device)
    whole = with_times(problem, job.snapshots)
    simulation = Simulation(replace(whole, cases=[whole.cases[n] for n in job.cases]), job.device, world=world)
    for run, state, arrays in zip(simulation.runs, job.states, job.arrays, strict=True):
        empty = {name: np.empty(shape, dtype) for name, (shape, dtype) in arrays.items()}
        _from_first(world, empty)
        run.restore(State(empty, **state))

    def after_step(_: int) -> None:
        number, save = stop_request(world, stop)
        if number or save:
            by_first(world, _nothing)
        if number:
            raise Interrupted(f"stopped by signal {number}", number)

    def write(_: int, clouds: list[Cloud]) -> None:
        compare(world, clouds)
        write_shards(world, None, clouds)
        by_first(world, _nothing)

    simulation.run(write, after_step)


def _from_first(world: World, arrays: Mapping[str, NDArray[np.floating]]) -> None:
    """Fill ``arrays`` with the elements of rank 0's."""
    for array in arrays.values():
        world.join(array.reshape(-1), [0] + [array.size] * world.size)


def _require_same(world: World, cloud: Cloud) -> None:
    """Raise `Differ` if the positions of two ranks differ; on equal machines they cannot."""
    digest = hashlib.blake2b(np.ascontiguousarray(cloud).data, digest_size=6)
    number = float(int.from_bytes(digest.digest(), "little"))
    high, low = world.largest(np.array([number, -number])).tolist()
    if high != -low:
        raise Differ(
            "the positions of the ranks differ: their processors or libraries round differently",
            "run on machines of one kind, with one installation",
        )


def _nothing() -> None:
    pass
