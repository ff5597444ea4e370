"""The contract of a chemistry: a solver of the second equation of (1), eps c_t = Lap c - k^2 c + rho.

A step from t to t + dt calls ``state = advance(state, x, dt)`` and then ``gradient(state, x)`` at the same positions,
so c is implicit and x explicit. `advance` changes nothing but the state that it returns. A scheme with predicted
positions (Heun) therefore advances the same old state several times and keeps one of the results. Steps may differ in
length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from ..base.shapes import Cloud
from ..particles.engines.choice import DriftEngine
from ..particles.world import World

#: Named arrays. A checkpoint stores exactly these, and a resumed run gets them back.
State = Mapping[str, np.ndarray]
#: c as a function: takes arrays of coordinates along x, y (, z), all of one shape, and returns an array of that shape.
Field = Callable[[Sequence[NDArray[np.float64]]], NDArray[np.float64]]


@dataclass(frozen=True)
class Facts:
    """The case that a chemistry solves.

    ``delta`` is the width of a particle's blob [length], ``T`` the end of the run and ``dt`` its longest step [time],
    ``accuracy`` the relative l2 error that the gradient should have. ``c0`` is the chemical at the start: "zero",
    "elliptic" (the solution at eps = 0), or a `Field`.
    """

    dim: int
    particles: int
    mass: float
    T: float
    dt: float
    delta: float
    accuracy: float = 1e-3
    c0: str | Field = "zero"
    mu: float = 1.0
    chi: float = 1.0
    kernel: Any = None
    kernel_args: tuple[float, ...] = ()
    engine: str = "auto"
    dtype: str = "float32"
    device: str = "cpu"
    threads: int | None = None
    world: World | None = None


@dataclass(frozen=True)
class Grid:
    """A regular grid. ``axes`` holds the coordinates along x, y (, z); arrays of values have the shape `shape`."""

    axes: Sequence[NDArray[np.float64]]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes)

    def points(self) -> list[NDArray[np.float64]]:
        """Coordinates of all points, one array (n,) an axis, in the order of the ravelled values."""
        return [np.ascontiguousarray(part.ravel()) for part in np.meshgrid(*self.axes, indexing="ij")]


class Chemistry(Protocol):
    """The chemical of one case. ``dims`` are its space dimensions. ``Params`` is a pydantic model of numbers, physical
    (eps, k) and numerical; the descriptions of its fields state meaning and unit.

    The constructor takes values of ``Params`` and the `Facts`. The state holds all that a run must not lose: a new
    instance with the same values continues from a state to the bit. Results depend on the set of particles, not on the
    number of threads. Raises `ConfigError` for a kernel, device or value that it does not support.
    """

    dims: ClassVar[tuple[int, ...]]
    Params: ClassVar[type[BaseModel]]
    #: Name of the default kernel.
    kernel: ClassVar[str]
    #: Whether the state depends on earlier times, so that a checkpoint must hold it.
    memory: ClassVar[bool]
    #: The pair sum, if the chemistry is one (a captured GPU step launches it); else None.
    engine: DriftEngine | None

    def __init__(self, params: Any, facts: Facts) -> None: ...

    def start(self, x: Cloud) -> State:
        """The state at t = 0 for the initial positions ``x`` (J, d)."""
        ...

    def advance(self, state: State, x: Cloud, dt: float) -> State:
        """Return the state ``dt`` later, with the particles at ``x`` (J, d). Does not change ``state``."""
        ...

    def gradient(self, state: State, x: Cloud, scale: float = 1.0) -> Cloud:
        """Return ``scale`` * grad c at ``x`` (n, d), in the dtype of ``x``, for total mass M; scale = chi gives a
        velocity."""
        ...

    def report(self, state: State) -> dict[str, object]:
        """Return the sizes in use and the measured errors, for JSON. ``warnings`` is a list of sentences."""
        ...


class WithField(Chemistry, Protocol):
    """A chemistry that can evaluate c away from the particles."""

    def field(self, state: State, x: Cloud, grid: Grid) -> NDArray[np.float64]:
        """Return c on ``grid`` with the particles at ``x`` (J, d) [mass / length^(d - 2)]."""
        ...
