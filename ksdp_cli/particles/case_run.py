"""The run of one case of equation (8) on one world, with a state that resumes to the bit."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..chemistry.base import Chemistry, Facts, Grid
from ..errors import DataError
from ..provenance import short
from . import collapse
from .critical import critical_mass
from .halving import Halving, Place
from .history import noise_key
from .intervals import Interval, intervals, longest_step
from .merging import RADIUS, Merging, critical_count
from .origin import moving_origin
from .problem import Case, Problem, own_chemical
from .quiet import initial_positions
from .stepper import Stepper
from .world import Alone, World


class Look(TypedDict):
    """What a look at a cloud saw at ``t``: the fields of a `metrics.concentration.Concentration` but its centre.

    None is a density of particles at one point, and the radius where no mass is critical.
    """

    t: float
    density: float | None
    wide: float | None
    within: float
    radii: list[float]
    critical_radius: float | None


@dataclass
class State:
    """A case between two steps: named arrays, with the positions "x" (J, d) among them, and the next step.

    ``step`` steps of interval ``k`` are done. ``engine`` holds the sizes of an adaptive engine; ``collapsed`` is the
    time since which the cloud is collapsed (`collapse`), or None; ``place`` is the position within a halved step;
    ``looks`` holds the results of those who observe the case; ``fastest`` is the largest component of the attraction so
    far, which nothing moves by.
    """

    arrays: dict[str, np.ndarray]
    k: int = 0
    step: int = 0
    engine: dict[str, Any] = field(default_factory=dict)
    collapsed: float | None = None
    place: Place = field(default_factory=Place)
    looks: list[Look] = field(default_factory=list)
    fastest: float = 0.0

    @property
    def x(self) -> Cloud:
        return self.arrays["x"]


class CaseRun:
    """Runs ``case`` of ``problem`` on one device.

    The Brownian increment of a particle is a function of (``key``, stream of the case, step, particle), so that no
    state of a generator is saved; ``key`` is `noise_key` of the case's seed. Times of snapshots and numbers of steps
    count from ``t0``.
    """

    def __init__(
        self,
        problem: Problem,
        case: Case,
        device: str,
        key: int | None = None,
        threads: int | None = None,
        world: World | None = None,
    ) -> None:
        config = problem.config
        self.problem, self.config, self.case, self.device = problem, config, case, device
        self.plan = intervals(config.snapshots, config.dt)
        self.steps = self.plan[-1].first + self.plan[-1].count
        self.longest = longest_step(config.snapshots, config.dt)
        self.scheme = problem.scheme()
        self.chemistry: Chemistry = problem.chemistry(
            case.chemistry_params, facts(problem, case, device, threads, world)
        )
        self.engine = self.chemistry.engine
        key = noise_key(problem, case.seed) if key is None else key
        self.world, self.origin = world or Alone(), moving_origin(problem, case)
        self.stepper = Stepper(config, case, self.chemistry, device, key, self.world, self.origin)
        self.halving = Halving(self.stepper, self.scheme) if config.halvings else None
        self.merging = merging_of(problem, case)
        self.state = State({"x": np.empty(0)})
        #: Number of steps that the last call of `count` added.
        self.taken = 0

    @property
    def kind(self) -> str:
        """Name of the engine, or of the chemistry if it has no engine."""
        return self.engine.name if self.engine else short(self.config.chemistry)

    def start(self) -> None:
        """Draw the initial cloud of the case. Raises `DataError` if it is not finite."""
        c = self.config
        x = initial_positions(self.problem, self.case)
        if self.origin:
            x = x.astype(np.float64) - self.origin.at(c.t0)
        x = x.astype(c.dtype)
        if not np.isfinite(x).all():
            raise DataError(f"positions of initial cloud {c.init!r} are not finite", "choose another --init")
        if self.merging:
            self.merging.restore(x)
        self.stepper.memory = self.chemistry.start(x)
        self.state = State({"x": x, **self.stepper.memory})

    def restore(self, state: State) -> None:
        """Continue from ``state``."""
        self.state = state
        self.stepper.memory, self.stepper.fastest = _memory(state.arrays), state.fastest
        self.stepper.notes = step_notes(state.place) if self.halving else {}
        if self.merging:
            self.merging.restore(state.x)
            self._note_heavy(state.x)
        self.stepper.report()  # raises here if the arrays are not a state of this chemistry
        if state.engine and self.engine:
            self.engine.restore(state.engine)

    def snapshot(self) -> State:
        """Return the state after the last good step. Later steps replace its arrays and do not change them."""
        self.state.engine = self.engine.state() if self.engine else {}
        if math.isfinite(self.stepper.fastest):
            self.state.fastest = float(self.stepper.fastest)
        return self.state

    def advance(self, part: Interval, after_step: Callable[[], None]) -> None:
        """Make the remaining steps of ``part``, the current interval; call ``after_step()`` after each.

        Raises `NumericalError` at blow-up.
        """
        state = self.state
        for index in range(state.step, part.count):
            t, dt = part.step(index)
            t, step = self.config.t0 + t, part.first + index
            if self.halving is None:
                noise = self.stepper.noise(state.x.dtype, step, dt)
                state.arrays = self._merged(self.stepper.step(self.scheme, state.arrays, t, dt, noise))
                self.count(1)
                after_step()
                continue
            whole = False
            while not whole:
                state.arrays = self._merged(self.halving.advance(state.arrays, state.place, t, dt, step))
                whole = state.place.offset == 0
                self.stepper.notes |= step_notes(state.place)
                self.count(int(whole))
                after_step()

    def _merged(self, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The arrays after a step, with heavy particles merged if that is configured."""
        if self.merging is None:
            return arrays
        x = self.merging.after(arrays["x"])
        self._note_heavy(x)
        return {**arrays, "x": x}

    def _note_heavy(self, x: Cloud) -> None:
        """Put mass and centre of each heavy particle into the report."""
        assert self.merging is not None
        share, groups = self.case.mass / self.config.J, self.merging.members
        heavy = [{"mass": share * len(rows), "centre": x[rows[0]].astype(np.float64).tolist()} for rows in groups]
        self.stepper.notes |= {"heavy": heavy}

    def count(self, steps: int) -> None:
        """Add ``steps`` to the number of steps that the state has made."""
        self.state.step += steps
        self.taken = steps

    def done(self) -> int:
        """Number of steps done so far."""
        s = self.state
        return s.step + (self.plan[s.k].first if s.k < len(self.plan) else self.steps)

    def time(self) -> float:
        """Time t of equation (8)."""
        return self.config.t0 + self.elapsed()

    def elapsed(self) -> float:
        """Time since the start of the run, t - t0."""
        s = self.state
        if s.k == len(self.plan):
            return self.config.T
        part = self.plan[s.k]
        if s.step == part.count:
            return part.end * part.dt
        begin, length = part.step(s.step)
        return begin + length * s.place.offset / (1 << self.config.halvings)

    def max_kernel_displacement(self) -> float:
        """Largest distance, along an axis, by which attraction has moved a particle in one step, over delta."""
        if self.halving:
            return self.state.place.farthest / math.sqrt(self.case.kernel_args[0])
        return self.stepper.max_kernel_displacement() * (self.longest / self.config.dt)

    def field(self, axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """c at the state's time on the grid with coordinates ``axes`` along x, y (, z). Needs a chemistry with a
        field."""
        chemistry: Any = self.chemistry
        with np.errstate(under="ignore"):
            c: NDArray[np.float64] = chemistry.field(_memory(self.state.arrays), self.state.x, Grid(axes))
        return c

    def field_gradient(self, axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
        """The gradient of `field`, (d, x, y (, z))."""
        chemistry: Any = self.chemistry
        with np.errstate(under="ignore"):
            slope: NDArray[np.float64] = chemistry.field_gradient(_memory(self.state.arrays), self.state.x, Grid(axes))
        return slope

    def look_due(self) -> bool:
        """Whether the last steps passed a multiple of the interval between checks, and the cloud is not collapsed
        yet."""
        number = self.done()
        interval = max(1, self.steps // collapse.LOOKS)
        return number // interval != (number - self.taken) // interval and self.state.collapsed is None

    def look(self) -> str | None:
        """Check for collapse: return a warning and note the time in the state if the cloud has collapsed, else None."""
        fraction = collapse.collapsed(self.problem, self.case, self.state.x)
        if fraction is None:
            return None
        self.state.collapsed = self.time()
        return collapse.collapse_warning(self.problem, self.case, self.time(), fraction, self.state.x)


def merging_of(problem: Problem, case: Case) -> Merging | None:
    """The `Merging` of a case above the critical mass in the plane, if the configuration has one; else None."""
    critical, c = critical_mass(problem, case), problem.config
    if c.merge != "delta" or critical is None or case.mass < critical:
        return None
    return Merging(RADIUS * math.sqrt(case.kernel_args[0]), critical_count(c.J, case.mass, critical))


def step_notes(place: Place) -> dict[str, object]:
    """The number of halved steps and, if known, the length of the shortest, for the report of a case."""
    return {"steps_taken": place.taken, **({"shortest_step": place.shortest} if place.shortest else {})}


def _memory(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The chemistry's arrays of a state."""
    return {name: array for name, array in arrays.items() if name != "x"}


def facts(
    problem: Problem, case: Case, device: str = "cpu", threads: int | None = None, world: World | None = None
) -> Facts:
    """The `Facts` that a case gives to its chemistry."""
    c = problem.config
    return Facts(
        dim=c.dim,
        particles=c.J,
        mass=case.mass,
        T=c.T,
        dt=longest_step(c.snapshots, c.dt),
        delta=math.sqrt(case.kernel_args[0]),
        accuracy=c.accuracy,
        c0=own_chemical(c.init, problem.initial, case, problem.c0),
        mu=case.mu,
        chi=case.chi,
        kernel=problem.kernel,
        kernel_args=case.kernel_args,
        engine=c.engine,
        dtype=c.dtype,
        device=device,
        threads=threads,
        world=world,
    )
