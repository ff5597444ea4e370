"""One case of equation (8): drift, noise and the guard against blow-up. On a GPU the steps are `step_gpu`'s."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import rng
from ..chemistry.base import Chemistry, State
from ..config import SimulateConfig
from ..errors import ConfigError, NumericalError
from .bridge import Bridge
from .problem import Case, diffusion, drift_prefactor
from .schemes.base import Scheme
from .world import Alone, World

#: Two normal numbers of `rng` differ by less than this.
NOISE_RANGE = 12.0
#: The state of a chemistry without memory.
NONE: State = {}
#: Positions beyond this do not fit in the float32 of a store.
LARGEST = 3e38


class Stepper:
    """Holds what a step of one case needs, and what is to be told about it; positions are a NumPy array."""

    def __init__(
        self,
        config: SimulateConfig,
        case: Case,
        chemistry: Chemistry,
        device: str,
        key: int | None = None,
        world: World | None = None,
    ) -> None:
        self.config, self.case, self.chemistry, self.device = config, case, chemistry, device
        self.engine = chemistry.engine
        #: The state of the chemistry after the last drift.
        self.memory: State = {}
        self.key, self.stream = config.seed if key is None else key, rng.noise_stream(case.number)
        self.world = world or Alone()
        self.prefactor = drift_prefactor(case, config.J)
        self.interacting = self.prefactor != 0.0
        #: The largest part of a drift so far that is attraction.
        self.fastest = 0.0
        #: What a GPU's steps add to the report.
        self.told: dict[str, Any] = {}

    def report(self) -> dict[str, Any]:
        """The chemistry's own, and on a GPU whether its steps are replayed, and why not."""
        return self.chemistry.report(self.memory) | self.told

    def velocity(self, x: Any, t: Any) -> Any:
        """v(X_j, t) in the type of ``x`` (J, d), an array or a tensor. Raises `ConfigError` for another shape."""
        v = self.case.flow.velocity(x, t)
        if v.shape != x.shape:
            raise ConfigError(f"flow {self.config.flow!r} gave shape {tuple(v.shape)} for positions {tuple(x.shape)}")
        if v.dtype != x.dtype:
            v = v.astype(x.dtype) if isinstance(v, np.ndarray) else v.to(x.dtype)
        return v

    def drift(self, x: Any, t: float, memory: State = NONE, dt: float = 0.0) -> Any:
        """chi grad c + v(X_j, t), shape (J, d), with c ``dt`` after ``memory``, which `memory` then is the state of."""
        v = self.velocity(x, t)
        self.memory = self.chemistry.advance(memory, x, dt)
        if not self.interacting:
            return v
        force = self.chemistry.gradient(self.memory, x, self.case.chi)
        self.fastest = max(self.fastest, force.max(), -force.min())
        return force + v

    def max_kernel_displacement(self) -> float:
        """The largest distance so far, along an axis, by which attraction moved a particle in a step, over delta."""
        delta = math.sqrt(self.case.kernel_args[0])
        return float(self.fastest) * self.config.dt / delta if delta else 0.0

    def noise(self, dtype: Any, step: int, dt: float) -> NDArray[Any]:
        """The Brownian increment of global step ``step``, (J, d)."""
        return self.world.gather(np.asarray(diffusion(self.case, dt), dtype) * self._normals(self.key, step, dtype))

    def bridge(self, dtype: Any, step: int, dt: float) -> Bridge:
        """`noise` of global step ``step``, to be halved."""

        def normals(node: int) -> NDArray[Any]:
            return self.world.gather(self._normals(rng.bridge_key(self.key, node), step, dtype))

        return Bridge(self.noise(dtype, step, dt).astype(np.float64), self.case.mu, dt, normals)

    def _normals(self, key: int, step: int, dtype: Any) -> NDArray[Any]:
        """This rank's standard normal numbers."""
        low, high = self.world.bounds(self.config.J)
        return rng.normals(key, self.stream, step, low, high - low, self.config.dim, dtype)

    def step(
        self,
        scheme: Scheme,
        arrays: dict[str, NDArray[Any]],
        t: float,
        dt: float,
        noise: NDArray[Any],
        first: NDArray[Any] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Positions "x" and the chemistry's arrays after a step from ``t`` to ``t + dt`` with the increment ``noise``.

        ``first`` is the drift at the start where it is known. Raises `NumericalError` when positions are not finite, or
        when the step is longer than the cloud is wide.
        """

        def drift(y: Any, s: float) -> Any:
            return first if first is not None and y is x else self.drift(y, s, memory, dt)

        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the guard reports them
            x, memory = arrays["x"], {name: array for name, array in arrays.items() if name != "x"}
            new = scheme.step(x, t, dt, drift, noise)
            found = self.world.largest(_measured(x, new)).tolist()
        if not resolved(found, diffusion(self.case, dt), self.config.dtype):
            raise self.blow_up(found, t, dt)
        return {"x": new, **self.memory}

    def speed(self, arrays: dict[str, NDArray[Any]], t: float) -> tuple[float, NDArray[Any] | None]:
        """The largest component of the attraction at ``t``, and the drift there where a step may begin with it.

        Of a chemistry with a memory it is the attraction by the chemical as it is, and no drift: that needs the step.
        """
        x, memory = arrays["x"], {name: array for name, array in arrays.items() if name != "x"}
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            if self.chemistry.memory:
                force = self.chemistry.gradient(memory, x, self.case.chi) if self.interacting else np.zeros(1)
                return float(max(force.max(), -force.min())), None
            self.fastest, before = 0.0, self.fastest
            first = self.drift(x, t)
            here, self.fastest = float(self.fastest), max(before, self.fastest)
        return here, first

    def blow_up(self, found: list[float], t: float, dt: float | None = None) -> NumericalError:
        """What to raise for a step of ``dt`` from ``t`` whose four numbers are not `resolved`."""
        width, _, moved, reach = found
        what = f"particles move by {moved:.3g} in one step, and the cloud is {width:.3g} wide"
        return NumericalError(
            f"blow-up after t = {t:.6g}{self.case.place}: {what if reach < LARGEST else 'positions are not finite'}",
            f"use a smaller --dt (now {self.config.dt if dt is None else dt:g}), a larger --delta2 "
            f"(now {self.case.kernel_args[0]:g}) or a kernel that delta regularises",
        )


def resolved(found: Any, noise: Any, dtype: str) -> Any:
    """Whether particles moved against one another by no more than the whole cloud is wide, and noise explains.

    Attraction brings a particle to the others and no further, and a resolved flow changes a distance by a small part of
    it; what noise of standard deviation ``noise`` can add is known. So any other step is one that the scheme does not
    resolve, whatever the kernel and the flow are. A common translation is none. ``found`` are the four numbers of
    `_measured`, of one step or of many.
    """
    width, far, moved, reach = found
    rounding = 4 * float(np.finfo(dtype).eps) * far
    return (moved <= width + NOISE_RANGE * noise + rounding) & (reach < LARGEST)


def _measured(x: Any, new: Any) -> Any:
    """Four numbers of positions (J, d): largest extent of ``x`` along an axis, largest absolute value, largest extent
    of ``new - x``, largest absolute value of ``new``. Each is nan where it meets one.
    """
    # axis by axis: NumPy is 20 times slower over the first axis of an array (J, 2)
    old, moved, now = (np.array([(axis.min(), axis.max()) for axis in part.T]) for part in (x, new - x, new))
    width, span = ((ends[:, 1] - ends[:, 0]).max() for ends in (old, moved))
    return np.stack([width, abs(old).max(), span, abs(now).max()])
