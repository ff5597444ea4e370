"""Parabolic chemistry, eps > 0: implicit Euler on Fourier modes, in free space by nested boxes or in a periodic box.

    alpha_q <- ((eps / dt) alpha_q + rho_q) / (|q|^2 + k^2 + eps / dt)

The step and its gradient are in `ksdp_cli.particles.mesh`. Here sizes are chosen from the accuracy, kept in the state,
and renewed when the cloud outgrows its first box. First order in dt.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from ..base.files import JsonDict
from ..base.params import Params as Base
from ..base.shapes import Cloud
from ..errors import ConfigError
from ..particles.engines.choice import DriftEngine
from ..particles.mesh.modes import Modes
from ..particles.mesh.nested import Nested, Sizes, choose
from ..particles.mesh.transfer import carried, periodic_modes, piece_of, pieces_of
from .aliasing import aliasing_error
from .base import Facts, Grid, State
from .beginning import FORMS

#: Modes an axis at most: 1 GiB a grid at an oversampling of 2, and some more beside it.
MOST = {2: 4096, 3: 240}
#: Steps between two measurements of the aliasing error.
CHECK = 25
#: Half the cloud's extent, over the side of the first box, from which boxes are renewed; and the room they then get.
OUTGROWN, ROOM = 0.3, 1.25
Axes = Sequence[NDArray[Any]]


class Params(Base):
    """Coefficients of the second equation, and the sizes of its mesh: 0 lets the accuracy choose."""

    eps: float = Field(0.1, gt=0, description="relaxation of the chemical [time / length^2]")
    k: float = Field(0.0, ge=0, description="decay of the chemical: at the rate k^2 / eps [1 / length]")
    box: float = Field(0.0, ge=0, description="side of a periodic box about the origin, 0 for free space [length]")
    modes: int = Field(0, ge=0, description="Fourier modes an axis of the first box, even [1]")
    boxes: int = Field(0, ge=0, le=8, description="nested boxes, each 4 times as large [1]")


class Parabolic:
    """eps c_t = Lap c - k^2 c + rho with the particles' Gaussian blobs of width delta, which is that of ``gaussian``.

    So eps -> 0 meets the pair sum with that kernel. delta = 0 leaves the smoothing to the modes, and needs their
    number. Following Wang, Xin and Zhang, J. Sci. Comput. 102 (2025) 75, with a mesh, and with free space
    in place of a box. A given c_0 is smoothed over delta as the density is.
    """

    dims: ClassVar[tuple[int, ...]] = (2, 3)
    Params: ClassVar[type[BaseModel]] = Params
    kernel: ClassVar[str] = "gaussian"
    memory: ClassVar[bool] = True

    def __init__(self, params: Any, facts: Facts) -> None:
        self.params, self.facts = params, facts
        self.engine: DriftEngine | None = None
        name = getattr(facts.kernel, "__name__", "Gaussian")
        if name != "Gaussian" and facts.delta > 0:
            raise ConfigError(f"parabolic chemistry with kernel {name!r}", "use --kernel gaussian")
        if facts.device != "cpu":
            raise ConfigError(f"parabolic chemistry on device {facts.device!r}", "use --device cpu")
        if params.modes % 2 or params.modes > MOST[facts.dim]:
            raise ConfigError(f"modes = {params.modes}", f"give an even number up to {MOST[facts.dim]}")
        if facts.delta == 0 and params.modes == 0:
            raise ConfigError("delta2 = 0 sets no number of modes", "give --modes, or --delta2 above 0")
        self._held: tuple[tuple[float, ...], Nested] | None = None

    def start(self, x: Cloud) -> State:
        """c = 0, the elliptic state of the cloud, or a given field; the boxes are laid around the cloud."""
        axes, params, facts = _axes(x), self.params, self.facts
        centre, width = _extent(axes)
        width = max(width, 8.0 * facts.delta, 1e-6)
        if params.box:
            centre, width = np.zeros(facts.dim), params.box
        nested = self._nested(centre, width)
        if callable(facts.c0) and params.box:
            field = [periodic_modes(facts.c0, nested.boxes[0])]
        elif callable(facts.c0):
            pieces = pieces_of(facts.c0, nested.boxes)
            field = [carried(pieces, box) for box in nested.boxes]
        elif facts.c0 == "elliptic":
            field = nested.advanced(nested.zeros(), axes, facts.mass, 0.0, params.k)
        elif facts.c0 == "zero":
            field = nested.zeros()
        else:
            raise ConfigError(f"c0 = {facts.c0!r}", FORMS)
        return _state(field, centre, width, np.zeros(3))

    def advance(self, state: State, x: Cloud, dt: float) -> State:
        """One implicit Euler step with the particles at ``x``, in boxes that hold them."""
        axes = _axes(x)
        if not _usable(axes):
            return dict(state) | {name: np.full_like(a, np.nan) for name, a in state.items() if name[:2] == "c."}
        state = self._roomy(state, axes)
        nested, memory = self._of(state), self.params.eps / dt
        field = nested.advanced(_field(state), axes, self.facts.mass, memory, self.params.k)
        told = state["told"].copy()
        if told[0] % CHECK == 0:
            told[1] = max(told[1], aliasing_error(nested, field, axes))
        told[0] += 1
        return _state(field, state["centre"], float(state["width"]), told)

    def gradient(self, state: State, x: Cloud, scale: float = 1.0) -> Cloud:
        """``scale`` grad c at ``x`` (n, d); NaN where a position is not finite."""
        axes = _axes(x)
        if not _usable(axes) or not np.isfinite(state["c.0"].flat[0]):
            return np.full_like(x, np.nan)
        slope = self._of(state).at(_field(state), axes)[1]
        slope *= scale
        return np.ascontiguousarray(slope.T.astype(x.dtype, copy=False))

    def field(self, state: State, x: Cloud, grid: Grid) -> NDArray[np.float64]:
        """c at the points of ``grid``, of the modes alone: zero beyond the last box in free space."""
        return self._of(state).at(_field(state), grid.points())[0].reshape(grid.shape)

    def mass(self, state: State) -> float:
        """Mass of the chemical."""
        return self._of(state).mass(_field(state))

    def report(self, state: State) -> JsonDict:
        sizes, told = self._of(state).sizes, state["told"]
        return {
            "engine": "parabolic",
            "modes": sizes.count,
            "boxes": sizes.boxes,
            "side": sizes.side,
            "spline_order": sizes.order,
            "oversampling": sizes.over,
            "image_error": sizes.image_error,
            "delta_error": sizes.delta_error if self.facts.delta else None,
            "aliasing_error": float(told[1]),
            "renewed": int(told[2]),
            "warnings": self._warnings(sizes, told),
        }

    def _warnings(self, sizes: Sizes, told: NDArray[np.float64]) -> list[str]:
        facts, found = self.facts, []
        wanted = 4.0 * facts.accuracy
        if facts.delta and sizes.delta_error > wanted:
            digits = math.sqrt(math.log(1.0 / facts.accuracy))
            needed = 2 * math.ceil(sizes.side / (math.pi * facts.delta) * digits)
            found.append(
                f"delta = {facts.delta:.3g} is not held: {sizes.count} modes of a box of side {sizes.side:.3g} end at "
                f"exp(-(q delta / 2)^2) = {sizes.delta_error:.2g}, {needed} would at {facts.accuracy:g}; raise delta2"
            )
        if sizes.image_error > wanted:
            found.append(f"periodic images add {sizes.image_error:.2g} to the force: give more --boxes")
        if told[1] > wanted:
            found.append(
                f"splines of order {sizes.order} add {told[1]:.2g} to the force: more than --accuracy asks for"
            )
        if told[2]:
            found.append(f"the cloud outgrew its first box {int(told[2])} times; boxes now begin at {sizes.side:.3g}")
        return found

    def _roomy(self, state: State, axes: Axes) -> State:
        """The state, or in free space the same field in larger boxes where the cloud comes near an edge."""
        if self.params.box:
            return state
        side = 2.0 * float(state["width"])
        reach = max(
            max(float(axis.max()) - c, c - float(axis.min())) for axis, c in zip(axes, state["centre"], strict=True)
        )
        if reach <= OUTGROWN * side:
            return state
        old, told = self._of(state), state["told"].copy()
        pieces = [piece_of(box, modes) for box, modes in zip(old.boxes, _field(state), strict=True)]
        centre, width = _extent(axes)
        width = max(ROOM * width, float(state["width"]))
        new = self._nested(centre, width)
        field = [carried(pieces, box) for box in new.boxes]
        field[-1].flat[0] = old.mass(_field(state)) / new.boxes[-1].side ** self.facts.dim
        told[2] += 1
        return _state(field, centre, width, told)

    def _sizes(self, width: float, boxes: int | None = None) -> Sizes:
        params, facts = self.params, self.facts
        reach = 8.0 * math.sqrt(4.0 * facts.T / params.eps)
        if callable(facts.c0) or facts.c0 == "elliptic":
            reach = math.inf
        if params.k > 0:
            reach = min(reach, -1.5 * math.log(facts.accuracy) / params.k)
        return choose(
            facts.dim,
            width,
            facts.delta,
            facts.accuracy,
            reach,
            side=params.box or None,
            count=params.modes or None,
            boxes=boxes or params.boxes or None,
            most=MOST[facts.dim],
        )

    def _nested(self, centre: NDArray[np.float64], width: float, boxes: int | None = None) -> Nested:
        """The boxes of a state. It has as many as it began with, since a run that goes on has a later end."""
        key = (*centre.tolist(), width, boxes or 0)
        if self._held is None or self._held[0] != key:
            facts = self.facts
            periodic = self.params.box > 0
            nested = Nested(centre.tolist(), self._sizes(width, boxes), facts.delta, facts.threads, periodic)
            self._held = key, nested
        return self._held[1]

    def _of(self, state: State) -> Nested:
        return self._nested(state["centre"], float(state["width"]), len(_field(state)))


def _axes(x: Cloud) -> list[NDArray[np.floating]]:
    return [np.ascontiguousarray(axis) for axis in x.T]


def _usable(axes: Axes) -> bool:
    return all(math.isfinite(float(axis.min())) and math.isfinite(float(axis.max())) for axis in axes)


def _extent(axes: Axes) -> tuple[NDArray[np.float64], float]:
    """Middle (d,) and largest width of a cloud along an axis."""
    ends = np.array([(axis.min(), axis.max()) for axis in axes], np.float64)
    return ends.mean(1), float((ends[:, 1] - ends[:, 0]).max())


def _field(state: State) -> list[Modes]:
    return [state[f"c.{level}"] for level in range(sum(name[:2] == "c." for name in state))]


def _state(field: list[Modes], centre: NDArray[np.float64], width: float, told: NDArray[np.float64]) -> State:
    """``told``: steps so far, worst aliasing error, renewals of the boxes."""
    modes = {f"c.{level}": one for level, one in enumerate(field)}
    return {**modes, "centre": centre, "width": np.array(width), "told": told}
