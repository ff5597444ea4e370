"""One case of equation (8): drift, noise and the guard against blow-up. On a GPU the steps are `step_gpu`'s."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ..base import rng
from ..base.arrays import Array
from ..base.files import JsonDict
from ..chemistry.base import Chemistry, State
from ..config import SimulateConfig
from ..errors import ConfigError, NumericalError
from .bridge import Bridge
from .origin import MovingOrigin
from .problem import Case, diffusion, drift_prefactor
from .schemes.base import Scheme
from .world import Alone, World, ends_of, share_of

#: Two normal numbers of `rng` differ by less than this.
NOISE_RANGE = 12.0
#: The state of a chemistry without memory.
NONE: State = {}
#: Positions beyond this do not fit in the float32 of a store.
LARGEST = 3e38


class Stepper:
    """Holds what a step of one case needs, and what is to be told about it; positions are a NumPy array.

    On ranks of a ``world`` each moves its share of the particles and hears of the others' positions, at the end of a
    step and wherever the scheme wants a drift.
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
        #: What positions count from, and how fast it moves in the step that is taken.
        self.origin, self.carried = origin, np.zeros(config.dim)
        self.ends, (self.low, self.high) = ends_of(config.J, self.world.size), share_of(config.J, self.world)
        self.prefactor = drift_prefactor(case, config.J)
        self.interacting = self.prefactor != 0.0
        #: The largest part of a drift so far that is attraction.
        self.fastest = 0.0
        #: Largest extent of the cloud along an axis and largest absolute coordinate, before the last step.
        self.width = self.far = 0.0
        #: What a GPU's steps add to the report.
        self.told: dict[str, Any] = {}

    def report(self) -> JsonDict:
        """The chemistry's own, and on a GPU whether its steps are replayed, and why not."""
        return self.chemistry.report(self.memory) | self.told

    def velocity(self, x: Array, t: Array) -> Array:
        """v(X_j, t), less that of the origin, in the type of ``x`` (J, d), an array or a tensor.

        Raises `ConfigError` for another shape.
        """
        if self.origin:
            v = self.case.flow.velocity(self.origin.at(t) + x, t) - self.carried
        else:
            v = self.case.flow.velocity(x, t)
        if v.shape != x.shape:
            raise ConfigError(f"flow {self.config.flow!r} gave shape {tuple(v.shape)} for positions {tuple(x.shape)}")
        if v.dtype != x.dtype:
            v = v.astype(x.dtype) if isinstance(v, np.ndarray) else v.to(x.dtype)
        return v

    def drift(self, x: Array, t: float, memory: State = NONE, dt: float = 0.0, cloud: Array = None) -> Array:
        """chi grad c + v(X_j, t) at this rank's particles ``x`` (n, d) of ``cloud`` (J, d), found where it is None.

        c is ``dt`` after ``memory``; `memory` then is its state.
        """
        v = self.velocity(x, t)
        force = self._attraction(x, memory, dt, cloud)
        return v if force is None else force + v

    def _attraction(self, x: Array, memory: State, dt: float, cloud: Array) -> Array:
        """chi grad c as of `drift`; None where nothing attracts."""
        cloud = self._cloud(x) if cloud is None else cloud
        self.memory = self.chemistry.advance(memory, cloud, dt)
        return self._slope(self.memory, x, cloud)

    def _slope(self, memory: State, x: Array, cloud: Array) -> Array:
        """chi grad c of the chemical ``memory`` at ``x``; None where nothing attracts."""
        if not self.interacting:
            return None
        force = self.chemistry.gradient(memory, cloud if self.engine else x, self.case.chi)
        if len(force) != len(x):  # of an engine that every rank has to itself
            force = force[self.low : self.high]
        self.fastest = max(self.fastest, force.max(), -force.min())
        return force

    def max_kernel_displacement(self) -> float:
        """The largest distance so far, along an axis, by which attraction moved a particle in a step, over delta."""
        delta = math.sqrt(self.case.kernel_args[0])
        return float(self.fastest) * self.config.dt / delta if delta else 0.0

    def noise(self, dtype: DTypeLike, step: int, dt: float) -> NDArray[np.floating]:
        """The Brownian increment of this rank's particles (n, d) in global step ``step``."""
        return np.asarray(np.asarray(diffusion(self.case, dt), dtype) * self._normals(self.key, step, dtype))

    def bridge(self, dtype: DTypeLike, step: int, dt: float) -> Bridge:
        """`noise` of global step ``step``, to be halved."""
        whole = self.noise(dtype, step, dt).astype(np.float64)
        return Bridge(whole, self.case.mu, dt, lambda node: self._normals(rng.bridge_key(self.key, node), step, dtype))

    def _normals(self, key: int, step: int, dtype: DTypeLike) -> NDArray[np.floating]:
        return rng.normals(key, self.stream, step, self.low, self.high - self.low, self.config.dim, dtype)

    def speed(self, arrays: dict[str, NDArray[np.floating]]) -> tuple[float, NDArray[np.floating] | None]:
        """The largest component of the attraction in a state, and that attraction where a step may begin with it.

        Of a chemistry with a memory it is that of the chemical as it is, and no attraction: that needs the step.
        """
        cloud, memory = arrays["x"], {name: array for name, array in arrays.items() if name != "x"}
        x = cloud[self.low : self.high] if self.world.size > 1 else cloud
        before, self.fastest = self.fastest, 0.0
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            force = self._slope(memory, x, cloud)
        here = float(self.world.largest(np.array([self.fastest], np.float64))[0])
        self.fastest = max(before, here)
        return here, None if self.chemistry.memory else force

    def _cloud(self, x: Array) -> Array:
        """The particles of all ranks (J, d) from those of each."""
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
        """Positions "x" and the chemistry's arrays after a step from ``t`` to ``t + dt`` with the increment ``noise``.

        Increment and ``force`` are of this rank's particles; the latter is the attraction at the start where `speed`
        has it. Raises `NumericalError` when positions are not finite, or when the step is longer than the cloud is
        wide.
        """
        if self.origin:
            self.carried = self.origin.velocity(t, dt)
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the guard reports them
            cloud, memory = arrays["x"], {name: array for name, array in arrays.items() if name != "x"}
            x = cloud[self.low : self.high] if self.world.size > 1 else cloud

            def drift(y: Array, s: float) -> Array:
                if y is x and force is not None:
                    return force + self.velocity(y, s)
                return self.drift(y, s, memory, dt, cloud if y is x else None)

            new = scheme.step(x, t, dt, drift, noise)
            *ends, self.fastest = self.world.largest(np.append(_ends(x, new), x.dtype.type(self.fastest)))
            found = _measured(np.array(ends)).tolist()
        if not resolved(found, diffusion(self.case, dt), self.config.dtype):
            raise self.blow_up(found, t, dt)
        self.width, self.far = found[:2]
        return {"x": self._cloud(new), **self.memory}

    def blow_up(self, found: list[float], t: float, dt: float | None = None) -> NumericalError:
        """What to raise for a step of ``dt`` from ``t`` whose four numbers are not `resolved`."""
        width, _, moved, reach = found
        what = f"particles move by {moved:.3g} in one step, and the cloud is {width:.3g} wide"
        return NumericalError(
            f"blow-up after t = {t:.6g}{self.case.place}: {what if reach < LARGEST else 'positions are not finite'}",
            f"use a smaller --dt (now {self.config.dt if dt is None else dt:g}), a larger --delta2 "
            f"(now {self.case.kernel_args[0]:g}) or a kernel that delta regularises",
        )


def resolved(found: Array, noise: Array, dtype: str) -> Array:
    """Whether particles moved against one another by no more than the whole cloud is wide, and noise explains.

    Attraction brings a particle to the others and no further, and a resolved flow changes a distance by a small part of
    it; what noise of standard deviation ``noise`` can add is known. So any other step is one that the scheme does not
    resolve, whatever the kernel and the flow are. A common translation is none. ``found`` are the four numbers of
    `_measured`, of one step or of many.
    """
    width, far, moved, reach = found
    rounding = 4 * float(np.finfo(dtype).eps) * far
    return (moved <= width + NOISE_RANGE * noise + rounding) & (reach < LARGEST)


def _ends(x: Array, new: Array) -> NDArray[np.floating]:
    """The largest coordinate on each axis and minus the smallest one, of ``x`` (n, d), ``new - x`` and ``new``. Each is
    nan where it meets one; the maximum over the parts of a cloud is the cloud's.
    """
    # axis by axis: NumPy is 20 times slower over the first axis of an array (n, 2)
    return np.array([(axis.max(), -axis.min()) for part in (x, new - x, new) for axis in part.T]).ravel()


def _measured(ends: NDArray[np.floating]) -> NDArray[np.floating]:
    """Four numbers of the `_ends` of a cloud: largest extent of ``x`` along an axis, largest absolute value, largest
    extent of ``new - x``, largest absolute value of ``new``.
    """
    old, moved, now = np.stack([-ends[1::2], ends[::2]], axis=1).reshape(3, -1, 2)
    width, span = ((ends[:, 1] - ends[:, 0]).max() for ends in (old, moved))
    return np.stack([width, abs(old).max(), span, abs(now).max()])
