"""Parabolic chemistry, eps > 0: implicit Euler on Fourier modes, in free space by nested boxes or in a periodic box.

    alpha_q <- ((eps / dt) alpha_q + rho_q) / (|q|^2 + k^2 + eps / dt)

`ksdp_cli.particles.mesh` makes the step and its gradient. This file chooses the sizes of the mesh from the accuracy,
keeps them in the state, and enlarges the boxes when the cloud outgrows the first. First order in dt.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import ClassVar, TypeAlias

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, Field

from ..base.params import Params as Base
from ..base.shapes import Cloud
from ..errors import ConfigError
from ..kernels.gaussian import Gaussian
from ..particles.engines.choice import DriftEngine
from ..particles.mesh.modes import Modes
from ..particles.mesh.nested import Nested, Sizes, choose
from ..particles.mesh.splines import ORDERS
from ..particles.mesh.transfer import carried, modes_of, piece_of
from .aliasing import aliasing_error
from .base import Facts, Grid, State
from .beginning import FORMS
from .place import MOST, Axes, Ends, Place, ends_of, first_box

#: Largest coordinate: the volume of a box is then a number [length].
FARTHEST = 1e90
#: Steps between two measurements of the aliasing error.
CHECK = 25
#: The package of the kernels that are Coulomb's for delta = 0.
SHIPPED = "ksdp_cli.kernels."


class Params(Base):
    """Coefficients of the second equation and sizes of its mesh; size 0 is chosen from the accuracy."""

    eps: float = Field(0.1, gt=0, description="relaxation of the chemical [time / length^2]")
    k: float = Field(0.0, ge=0, description="decay of the chemical: at the rate k^2 / eps [1 / length]")
    box: float = Field(0.0, ge=0, description="side of a periodic box about the origin, 0 for free space [length]")
    modes: int = Field(0, ge=0, description="Fourier modes an axis of the first box, even [1]")
    boxes: int = Field(0, ge=0, le=8, description="nested boxes, each 4 times as large [1]")


#: The name in the class below is its attribute.
Numbers: TypeAlias = Params


class Parabolic:
    """eps c_t = Lap c - k^2 c + rho; each particle is a Gaussian blob of width delta, as in the kernel ``gaussian``.

    For eps -> 0 the force tends to the pair sum with that kernel. delta = 0 leaves the smoothing to the truncation of
    the modes and needs their number. A given c_0 is smoothed over delta as the density is. The method is that of Wang,
    Xin and Zhang, J. Sci. Comput. 102 (2025) 75, with a particle mesh, and with free space in place of their box.
    Raises `ConfigError` for another kernel or device, and for a number of modes that is odd, too large or missing.
    """

    dims: ClassVar[tuple[int, ...]] = (2, 3)
    Params: ClassVar[type[BaseModel]] = Params
    kernel: ClassVar[str] = "gaussian"
    memory: ClassVar[bool] = True

    def __init__(self, params: Numbers, facts: Facts) -> None:
        self.params, self.facts = params, facts
        self.engine: DriftEngine | None = None
        if not _smooths(facts.kernel, facts.delta):
            name, own = getattr(facts.kernel, "__qualname__", ""), getattr(facts.kernel, "__module__", "")
            name = name if own.startswith(SHIPPED) else f"{own}.{name}"
            raise ConfigError(f"parabolic chemistry with kernel {name!r}", "use --kernel gaussian")
        if facts.device != "cpu":
            raise ConfigError(f"parabolic chemistry on device {facts.device!r}", "use --device cpu")
        if params.modes % 2 or params.modes > MOST[facts.dim]:
            raise ConfigError(f"modes = {params.modes}", f"give an even number up to {MOST[facts.dim]}")
        if facts.delta == 0 and params.modes == 0:
            raise ConfigError("delta2 = 0 sets no number of modes", "give --modes, or --delta2 above 0")
        self._held: tuple[tuple[float, ...], Nested] | None = None

    def start(self, x: Cloud) -> State:
        """Lay the boxes around the cloud and set c to `Facts.c0` in them."""
        axes, params, facts = _axes(x), self.params, self.facts
        way = None if params.box else ends_of(axes)
        place = Place(np.zeros(facts.dim), params.box, (1,) * facts.dim) if way is None else self._place(axes, way)
        nested = self._nested(place)
        if callable(facts.c0):
            field = modes_of(facts.c0, nested)
        elif facts.c0 == "elliptic":
            field = self._elliptic(nested, axes)
        elif facts.c0 == "zero":
            field = nested.zeros()
        else:
            raise ConfigError(f"c0 = {facts.c0!r}", FORMS)
        return _state(field, place, way, np.zeros(3))

    def advance(self, state: State, x: Cloud, dt: float) -> State:
        """Make one implicit Euler step with the particles at ``x``; enlarge the boxes first if the cloud needs it."""
        axes = _axes(x)
        if not _usable(axes):
            return dict(state) | {name: np.full_like(a, np.nan) for name, a in state.items() if name[:2] == "c."}
        state = self._enlarge(state, axes)
        nested, memory = self._of(state), self.params.eps / dt
        field = nested.advanced(_field(state), axes, self.facts.mass, memory, self.params.k, self.facts.world)
        if self._endless:
            field[-1].flat[0] = 0.0  # the mass is infinite: `field` adds the constant
        record = state["told"].copy()
        if record[0] % CHECK == 0:
            record[1] = max(record[1], aliasing_error(nested, field, axes))
        record[0] += 1
        return _state(field, _place(state), state.get("way"), record)

    def gradient(self, state: State, x: Cloud, scale: float = 1.0) -> Cloud:
        """``scale`` * grad c at ``x`` (n, d); all NaN if a position or the field is not finite."""
        axes = _axes(x)
        if not _usable(axes) or not np.isfinite(state["c.0"].flat[0]):
            return np.full_like(x, np.nan)
        slope = self._of(state).at(_field(state), axes)[1]
        slope *= scale
        return np.ascontiguousarray(slope.T.astype(x.dtype, copy=False))

    def field(self, state: State, x: Cloud, grid: Grid) -> NDArray[np.float64]:
        """c at the points of ``grid`` from the modes. In free space it is 0 outside the last box, or that of a point
        mass where c is endless."""
        nested, points = self._of(state), grid.points()
        c = nested.at(_field(state), points)[0]
        if self._endless:
            c += self.facts.mass * _green_less_periodic(nested.boxes[-1].side, self.facts.dim)
            away, outside = _outside(nested, points)
            r = np.linalg.norm(away, axis=0)
            c[outside] = self.facts.mass * (-np.log(r) / (2 * math.pi) if len(away) == 2 else 1 / (4 * math.pi * r))
        return c.reshape(grid.shape)

    def field_gradient(self, state: State, x: Cloud, grid: Grid) -> NDArray[np.float64]:
        """Return the gradient of `field` on the points of ``grid``, (d, x, y (, z))."""
        nested, points = self._of(state), grid.points()
        slope = nested.at(_field(state), points)[1]
        if self._endless:
            away, outside = _outside(nested, points)
            surface = 2 * math.pi * (len(away) - 1) * np.linalg.norm(away, axis=0) ** len(away)
            slope[:, outside] = -self.facts.mass * away / surface
        return slope.reshape(-1, *grid.shape)

    def report(self, state: State) -> dict[str, object]:
        sizes, record = self._of(state).sizes, state["told"]
        return {
            "engine": "parabolic",
            "modes": sizes.count,
            "boxes": sizes.boxes,
            "side": sizes.side,
            **({"stretch": list(sizes.stretch)} if sizes.widest > 1 else {}),
            "spline_order": sizes.order,
            "oversampling": sizes.over,
            "image_error": sizes.image_error,
            "delta_error": sizes.delta_error if self.facts.delta else None,
            "aliasing_error": float(record[1]),
            "renewed": int(record[2]),
            "warnings": self._warnings(sizes, record, _place(state)),
        }

    def _warnings(self, sizes: Sizes, record: NDArray[np.float64], place: Place) -> list[str]:
        facts, warnings = self.facts, []
        limit = 4.0 * facts.accuracy
        if facts.delta and sizes.delta_error > limit:
            digits = math.sqrt(math.log(1.0 / facts.accuracy))
            modes = 2 * math.ceil(sizes.side / (math.pi * facts.delta) * digits)
            needed = f"{replace(sizes, count=modes).modes} modes would reach {facts.accuracy:g}; "
            warnings.append(
                f"delta = {facts.delta:.3g} is not resolved: the last of {sizes.modes} modes in a box of side "
                f"{sizes.extent} has exp(-(q delta / 2)^2) = {sizes.delta_error:.2g}; "
                f"{needed if modes < 10**6 else ''}use a larger --delta2 or more --modes"
            )
        if sizes.image_error > limit:
            warnings.append(
                f"periodic images add {sizes.image_error:.2g} to the force, and a constant to c; give more --boxes"
            )
        elif sizes.image_error and math.isfinite(self._reach(place.centre)):
            warnings.append(
                f"c spreads beyond the last of {sizes.boxes} boxes, so its values are off by a constant, and 0 "
                "outside, but not the force; give more --boxes"
            )
        if record[1] > limit:
            finer = "; a smaller --accuracy takes finer ones" if sizes.order < max(ORDERS) else ""
            warnings.append(
                f"splines of order {sizes.order} add {record[1]:.2g} to the force, more than --accuracy allows{finer}"
            )
        if record[2]:
            times = "once" if record[2] == 1 else f"{int(record[2])} times"
            grown = f"it was enlarged to side {sizes.extent}, which leaves the field as it was"
            warnings.append(f"the cloud outgrew its first box {times}; {grown}")
        return warnings

    def _enlarge(self, state: State, axes: Axes) -> State:
        """Return the state itself, or in free space the same field in larger boxes if the cloud comes near an edge, and
        in more boxes if the run has a later end than before."""
        if self.params.box:
            return state
        place, way, ends = _place(state), state["way"], ends_of(axes)
        way = np.array([np.minimum(way[0], ends[0]), np.maximum(way[1], ends[1])])
        boxes = self._sizes(place).boxes
        shrink = min(
            limit / max(limit, float(axis.max()) - c, c - float(axis.min()))
            for axis, c, limit in zip(axes, place.centre, place.limits, strict=True)
        )
        outgrown, field = shrink < 1.0, _field(state)
        if not outgrown and len(field) >= boxes:
            return {**state, "way": way}
        old, record = self._of(state), state["told"].copy()
        mass, inner = old.mass(field), axes
        if self._endless:  # c reaches the edge; what it differs by from an elliptic state of the same mass does not
            # into the old box, where the last step's cloud was
            inner = [middle + shrink * (axis - middle) for axis, middle in zip(axes, place.centre, strict=True)]
            field = [a - b for a, b in zip(field, self._elliptic(old, inner), strict=True)]
        if outgrown:
            place = self._place(axes, way, place)
            record[2] += 1
        new = self._nested(place)
        pieces = [piece_of(box, modes) for box, modes in zip(old.boxes, field, strict=True)]
        field = [carried(pieces, box) for box in new.boxes]
        if self._endless:
            field = [a + b for a, b in zip(field, self._elliptic(new, inner), strict=True)]
        field[-1].flat[0] = mass / new.boxes[-1].volume
        return _state(field, place, way, record)

    def forecast(self, ends: Ends) -> Sizes:
        """The sizes for a cloud that fills the region between ``ends`` (2, d)."""
        return self._sizes(self._place(list(ends.T), ends))

    def _place(self, axes: Axes, way: Ends, old: Place | None = None) -> Place:
        """`first_box` for the cloud; a cube where the user sets modes or boxes."""
        params, facts = self.params, self.facts
        return first_box(axes, way, facts.delta, old, stretches=not (params.modes or params.boxes))

    def _elliptic(self, nested: Nested, axes: Axes) -> list[Modes]:
        """Modes of the solution at eps = 0."""
        return nested.advanced(nested.zeros(), axes, self.facts.mass, 0.0, self.params.k)

    @property
    def _endless(self) -> bool:
        """Whether c is that of all times before, without a decay, in free space."""
        return self.facts.c0 == "elliptic" and self.params.k == 0 and not self.params.box

    def _reach(self, centre: NDArray[np.float64]) -> float:
        """Side of the region into which c spreads, about ``centre``; infinite if it has no end or is not known."""
        params, facts = self.params, self.facts
        reach = 8.0 * math.sqrt(4.0 * facts.T / params.eps) if facts.c0 != "elliptic" else math.inf
        if params.k > 0:
            reach = min(reach, -1.5 * math.log(facts.accuracy) / params.k)
        if callable(facts.c0):  # whose pieces are whole in the middle half of the last box
            reach += 4.0 * (getattr(facts.c0, "radius", math.inf) + float(np.abs(centre).max()))
        return reach

    def _sizes(self, place: Place, boxes: int | None = None) -> Sizes:
        params, facts = self.params, self.facts
        return choose(
            facts.dim,
            place.width,
            facts.delta,
            facts.accuracy,
            self._reach(place.centre),
            side=params.box or None,
            count=params.modes or None,
            boxes=boxes or params.boxes or None,
            most=MOST[facts.dim],
            stretch=place.stretch,
        )

    def _nested(self, place: Place, boxes: int | None = None) -> Nested:
        """The boxes of a state, as many as it has; by default as many as c needs until T."""
        key = (*place.centre.tolist(), place.width, *place.stretch, boxes or 0)
        if self._held is None or self._held[0] != key:
            facts, sizes = self.facts, self._sizes(place, boxes)
            nested = Nested(place.centre.tolist(), sizes, facts.delta, facts.threads, self.params.box > 0)
            self._held = key, nested
        return self._held[1]

    def _of(self, state: State) -> Nested:
        return self._nested(_place(state), len(_field(state)))


def _smooths(kernel: object, delta: float) -> bool:
    """Whether the modes smooth c as ``kernel`` does: one of ours at delta = 0, a class of another package never."""
    shipped = getattr(kernel, "__module__", "").startswith(SHIPPED)
    return kernel is None or kernel is Gaussian or (delta == 0 and shipped)


def _axes(x: Cloud) -> list[NDArray[np.floating]]:
    return [np.ascontiguousarray(axis) for axis in x.T]


def _usable(axes: Axes) -> bool:
    return all(float(axis.min()) > -FARTHEST and float(axis.max()) < FARTHEST for axis in axes)  # False for nan


def _outside(nested: Nested, points: Axes) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Which (n,) of the ``points`` are outside the last box, and their positions (d, m) from its middle."""
    last = nested.boxes[-1]
    away = np.array([axis - (low + side / 2) for axis, low, side in zip(points, last.low, last.sides, strict=True)])
    outside = (np.abs(away) >= np.array(last.sides)[:, None] / 2).any(0)
    return away[:, outside], outside


def _green_less_periodic(side: float, dim: int) -> float:
    """The Green's function of free space less that of a periodic box with mean 0, near its pole.

    The constants are log(2 pi |eta(i)|^2) / (2 pi) of the square and Wigner's 2.837297 / (4 pi) of the cube.
    """
    return 0.2085777932 - math.log(side) / (2.0 * math.pi) if dim == 2 else 0.2257848 / side


def _field(state: State) -> list[Modes]:
    return [state[f"c.{level}"] for level in range(sum(name[:2] == "c." for name in state))]


def _place(state: State) -> Place:
    stretch = state.get("stretch", np.ones(len(state["centre"]), int))
    return Place(state["centre"], float(state["width"]), tuple(int(s) for s in stretch))


def _state(field: list[Modes], place: Place, way: Ends | None, record: NDArray[np.float64]) -> State:
    """``way`` (2, d): ends of all clouds so far, None in a periodic box.

    ``record`` (3,): steps so far, largest aliasing error, enlargements of the boxes. Checkpoints call it "told".
    """
    modes = {f"c.{level}": one for level, one in enumerate(field)}
    free = {} if way is None else {"stretch": np.array(place.stretch), "way": way}
    return {**modes, "centre": place.centre, "width": np.array(place.width), **free, "told": record}
