"""A step of one case of equation (8): drift, noise and the check against blow-up. `gpu_step` makes the steps on a
GPU."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..base import rng
from ..base.arrays import Array
from ..chemistry.base import Chemistry, State
from ..config import SimulateConfig
from ..errors import ConfigError, NumericalError
from .bridge import Bridge
from .origin import MovingOrigin
from .problem import Case, diffusion, drift_prefactor
from .quiet import opposite
from .schemes.base import Scheme
from .world import Alone, World, ends_of, share_of

#: Two normal numbers of `rng` differ by less than this.
NOISE_RANGE = 12.0
#: The state of a chemistry without memory.
NONE: State = {}
#: Largest coordinate that a store, in float32, can hold.
LARGEST = 3e38


class Stepper:
    """Makes the steps of one case; positions are a NumPy array.

    Each rank of ``world`` moves its share of the particles and receives the other positions at the end of a step and
    before each evaluation of the drift.
    """

    def __init__(
        self,
        config: SimulateConfig,
        case: Case,
        chemistry: Chemistry,
        device: str,
        key: int | None = None,
        world: World | None = None,
        origin: MovingOrigin | None = None,
    ) -> None:
        self.config, self.case, self.chemistry, self.device = config, case, chemistry, device
        self.engine = chemistry.engine
        #: The state of the chemistry after the last drift.
        self.memory: State = {}
        self.key, self.stream = case.seed if key is None else key, rng.noise_stream(case.stream)
        self.world = world or Alone()
        #: The moving origin, and its velocity in the current step.
        self.origin, self.carried = origin, np.zeros(config.dim)
        self.ends, (self.low, self.high) = ends_of(config.J, self.world.size), share_of(config.J, self.world)
        self.prefactor = drift_prefactor(case, config.J)
        self.interacting = self.prefactor != 0.0
        #: Largest component of the attraction so far [length / time].
        self.fastest = 0.0
        #: Largest extent of the cloud along an axis and largest absolute coordinate, before the last step.
        self.width = self.far = 0.0
        #: Entries that halved steps, heavy particles or a GPU add to the report.
        self.notes: dict[str, Any] = {}

    def report(self) -> dict[str, object]:
        """The chemistry's report together with `notes`."""
        return self.chemistry.report(self.memory) | self.notes

    def velocity(self, x: Array, t: float) -> Array:
        """v(X_j, t) (J, d) minus the velocity of the origin, in the dtype of ``x`` (J, d), an array or a tensor.

        Raises `ConfigError` if the flow returns another shape.
        """
        if self.origin:
            origin: Any = self.origin.at(t)
            origin_velocity: Any = self.carried
            v: Array = self.case.flow.velocity(origin + x, t) - origin_velocity
        else:
            v = self.case.flow.velocity(x, t)
        if v.shape != x.shape:
            raise ConfigError(
                f"flow {self.config.flow!r} returned shape {tuple(v.shape)} for positions {tuple(x.shape)}"
            )
        if v.dtype != x.dtype:
            other: Any = v
            v = other.astype(x.dtype) if isinstance(v, np.ndarray) else other.to(x.dtype)
        return v

    def drift(
        self,
        x: NDArray[np.floating],
        t: float,
        memory: State = NONE,
        dt: float = 0.0,
        cloud: NDArray[np.floating] | None = None,
    ) -> NDArray[np.floating]:
        """chi grad c + v(X_j, t) at this rank's particles ``x`` (n, d) of ``cloud`` (J, d), by default joined.

        c is the state ``dt`` after ``memory``, and is stored in `memory`.
        """
        v = self.velocity(x, t)
        force = self._attraction(x, memory, dt, cloud)
        return v if force is None else force + v

    def _attraction(
        self, x: NDArray[np.floating], memory: State, dt: float, cloud: NDArray[np.floating] | None
    ) -> NDArray[np.floating] | None:
        """chi grad c as of `drift`; None where nothing attracts."""
        cloud = self._cloud(x) if cloud is None else cloud
        self.memory = self.chemistry.advance(memory, cloud, dt)
        return self._slope(self.memory, x, cloud)

    def _slope(
        self, memory: State, x: NDArray[np.floating], cloud: NDArray[np.floating]
    ) -> NDArray[np.floating] | None:
        """chi grad c of the state ``memory`` at ``x`` (n, d); None without attraction."""
        if not self.interacting:
            return None
        force = self.chemistry.gradient(memory, cloud if self.engine else x, self.case.chi)
        if len(force) != len(x):  # the engine computed the forces on all particles
            force = force[self.low : self.high]
        self.fastest = max(self.fastest, force.max(), -force.min())
        return force

    def max_kernel_displacement(self) -> float:
        """Largest distance so far, along an axis, by which attraction moved a particle in one step, over delta."""
        delta = math.sqrt(self.case.kernel_args[0])
        return float(self.fastest) * self.config.dt / delta if delta else 0.0

    def noise(self, dtype: DTypeLike, step: int, dt: float) -> NDArray[np.floating]:
        """The Brownian increment (n, d) of this rank's particles in global step ``step``."""
        return np.asarray(np.asarray(diffusion(self.case, dt), dtype) * self._normals(self.key, step, dtype))

    def bridge(self, dtype: DTypeLike, step: int, dt: float) -> Bridge:
        """The `Bridge` that refines `noise` of global step ``step``."""
        whole = self.noise(dtype, step, dt).astype(np.float64)
        return Bridge(whole, self.case.mu, dt, lambda node: self._normals(rng.bridge_key(self.key, node), step, dtype))

    def _normals(self, key: int, step: int, dtype: DTypeLike) -> NDArray[np.floating]:
        return rng.normals(key, self.stream, step, self.low, self.high - self.low, self.config.dim, dtype)

    def speed(self, arrays: dict[str, NDArray[np.floating]]) -> tuple[float, NDArray[np.floating] | None]:
        """Return the largest component of the attraction in a state, and the attraction (n, d) for `step`.

        The attraction is None for a chemistry with memory, whose chemical first advances by the step.
        """
        cloud, memory = arrays["x"], {name: array for name, array in arrays.items() if name != "x"}
        x = cloud[self.low : self.high] if self.world.size > 1 else cloud
        earlier, self.fastest = self.fastest, 0.0
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            force = self._slope(memory, x, cloud)
        speed = float(self.world.largest(np.array([self.fastest], np.float64))[0])
        self.fastest = max(earlier, speed)
        return speed, None if self.chemistry.memory else force

    def _cloud(self, x: NDArray[np.floating]) -> NDArray[np.floating]:
        """The particles of all ranks (J, d), from those of this rank (n, d)."""
        if self.world.size == 1:
            return x
        whole = np.empty((self.config.J, x.shape[1]), x.dtype)
        whole[self.low : self.high] = x
        self.world.join(whole, self.ends)
        return whole

    def step(
        self,
        scheme: Scheme,
        arrays: dict[str, NDArray[np.floating]],
        t: float,
        dt: float,
        noise: NDArray[np.floating],
        force: NDArray[np.floating] | None = None,
    ) -> dict[str, NDArray[np.floating]]:
        """Return the positions "x" and the chemistry's arrays after a step from ``t`` to ``t + dt``.

        ``noise`` (n, d) is the Brownian increment and ``force`` (n, d) the attraction at the start, if `speed` returned
        it; both for this rank's particles. Raises `NumericalError` if positions are not finite or the step is not
        `resolved`.
        """
        if self.origin:
            self.carried = self.origin.velocity(t, dt)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # `resolved` detects them
            cloud, memory = arrays["x"], {name: array for name, array in arrays.items() if name != "x"}
            x = cloud[self.low : self.high] if self.world.size > 1 else cloud
            if self.config.sampling == "quiet":
                noise = opposite(noise, x)

            def drift(y: NDArray[np.floating], s: float) -> NDArray[np.floating]:
                if y is x and force is not None:
                    return force + self.velocity(y, s)
                return self.drift(y, s, memory, dt, cloud if y is x else None)

            new = scheme.step(x, t, dt, drift, noise)
            *ends, self.fastest = self.world.largest(np.append(_ends(x, new), x.dtype.type(self.fastest)))
            extent = _extent(np.array(ends)).tolist()
        if not resolved(extent, diffusion(self.case, dt), self.config.dtype):
            raise self.blow_up(extent, t, dt)
        self.width, self.far = extent[:2]
        return {"x": self._cloud(new), **self.memory}

    def blow_up(self, extent: list[float], t: float, dt: float | None = None) -> NumericalError:
        """The error for a step of ``dt`` from ``t`` whose four numbers of `_extent` are not `resolved`."""
        width, _, motion, reach = extent
        reason = f"particles move by {motion:.3g} in one step, and the cloud is {width:.3g} wide"
        return NumericalError(
            f"blow-up after t = {t:.6g}{self.case.place}: {reason if reach < LARGEST else 'positions are not finite'}",
            f"use a smaller --dt (now {self.config.dt if dt is None else dt:g}), a larger --delta2 "
            f"(now {self.case.kernel_args[0]:g}) or a regularised kernel",
        )


def resolved(
    extent: Sequence[float] | NDArray[np.floating], noise: float | NDArray[np.floating], dtype: str
) -> NDArray[np.bool_]:
    """Whether no two particles moved relative to each other by more than the width of the cloud plus the noise bound.

    Attraction moves a particle at most to the others, and a resolved flow changes a distance by a small fraction. Noise
    of standard deviation ``noise`` has a known bound. A larger relative motion is therefore not resolved, for any
    kernel and flow, and is reported as a blow-up. A uniform translation does not count. ``extent`` holds the four
    numbers of `_extent`, of one step or of many.
    """
    width, far, motion, reach = extent
    rounding = 4 * float(np.finfo(dtype).eps) * far
    return np.asarray((motion <= width + NOISE_RANGE * noise + rounding) & (reach < LARGEST))


def _ends(x: NDArray[np.floating], new: NDArray[np.floating]) -> NDArray[np.floating]:
    """Largest and minus the smallest coordinate on each axis, of ``x`` (n, d), ``new - x`` and ``new``: (6 d,).

    A nan in the input gives nan. The maximum over parts of a cloud is the result for the cloud.
    """
    # axis by axis, since NumPy reduces the first axis of an array (n, 2) 20 times slower
    return np.array([(axis.max(), -axis.min()) for part in (x, new - x, new) for axis in part.T]).ravel()


def _extent(ends: NDArray[np.floating]) -> NDArray[np.floating]:
    """Four numbers from the `_ends` of a cloud: largest extent of ``x`` along an axis, largest |x|, largest extent of
    ``new - x``, and largest |new|.
    """
    old, motion, now = np.stack([-ends[1::2], ends[::2]], axis=1).reshape(3, -1, 2)
    width, span = ((ends[:, 1] - ends[:, 0]).max() for ends in (old, motion))
    return np.stack([width, abs(old).max(), span, abs(now).max()])
