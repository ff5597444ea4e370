"""The contract of a chemistry: the second equation of (1), eps c_t = Lap c - k^2 c + rho, as a run needs it.

A step from t to t + dt is: ``state = advance(state, x, dt)``, then ``gradient(state, x)`` at the same positions. So c
is implicit and x explicit. A scheme that tries positions ahead (Heun) advances the *same old* state with them, as often
as it likes, and keeps the state that it wants: nothing but the returned state changes. Steps may differ in length.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

from ..base.files import JsonDict
from ..base.shapes import Cloud
from ..particles.engines.choice import DriftEngine
from ..particles.world import World

#: Named arrays and nothing else: what a checkpoint stores, and all that a resumed run gets back.
State = Mapping[str, NDArray[Any]]
#: c at points: arrays of coordinates along x, y (, z), of one shape, to an array of that shape.
Field = Callable[[Sequence[NDArray[np.float64]]], NDArray[np.float64]]


@dataclass(frozen=True)
class Facts:
    """What a chemistry may know of its case. ``delta`` is the width of a particle's blob [length], ``T`` the end of the
    run and ``dt`` its longest step [time], ``accuracy`` the relative l2 error of the gradient that is aimed at, ``c0``
    the chemical at the start: "zero", "elliptic" (the state of eps = 0), or c at points given axis by axis."""

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
    """A regular grid: ``axes`` holds the coordinates along x, y (, z); values on it have the shape of their lengths."""

    axes: Sequence[NDArray[np.float64]]

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(axis.size for axis in self.axes)

    def points(self) -> list[NDArray[np.float64]]:
        """Every point, one array of coordinates an axis, in the order of the values."""
        return [np.ascontiguousarray(part.ravel()) for part in np.meshgrid(*self.axes, indexing="ij")]


class Chemistry(Protocol):
    """The chemical of one case. ``dims`` are its space dimensions; ``Params`` a pydantic model of numbers, physical
    (eps, k) and numerical, whose descriptions carry meaning and unit.

    An instance is made with values of ``Params`` and the `Facts`. All that a run must not lose is in the state: an
    instance made afresh with the same values, and given a state, goes on to the bit. The results depend on the set of
    particles, not on threads. Raises `ConfigError` for a kernel, device or value that it does not serve.
    """

    dims: ClassVar[tuple[int, ...]]
    Params: ClassVar[type[BaseModel]]
    #: The kernel where none is asked for; and whether there is a state that a run must not lose.
    kernel: ClassVar[str]
    memory: ClassVar[bool]
    #: The pair sum that it is, where it is one: what the steps of a GPU queue.
    engine: DriftEngine | None

    def __init__(self, params: Any, facts: Facts) -> None: ...

    def start(self, x: Cloud) -> State:
        """The state at t = 0 for the initial positions ``x`` (J, d)."""
        ...

    def advance(self, state: State, x: Cloud, dt: float) -> State:
        """A new state, ``dt`` later, with the particles at ``x`` (J, d); ``state`` stays as it is."""
        ...

    def gradient(self, state: State, x: Cloud, scale: float = 1.0) -> Cloud:
        """``scale`` grad c at ``x`` (n, d), in the type of ``x``, for the total mass M; with chi it is a velocity."""
        ...

    def report(self, state: State) -> JsonDict:
        """What was chosen and what errors were measured, as numbers and words; ``warnings`` is a list of sentences."""
        ...


class WithField(Chemistry, Protocol):
    """A chemistry whose chemical is known between the particles."""

    def field(self, state: State, x: Cloud, grid: Grid) -> NDArray[np.float64]:
        """c on a grid with the particles at ``x`` (J, d), for stores and pictures [mass / length^(d - 2)]."""
        ...
