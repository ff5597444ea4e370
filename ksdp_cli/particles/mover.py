"""One case of equation (8) on one device: drift, noise and the guard against blow-up."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import rng
from ..arrays import namespace
from ..config import SimulateConfig
from ..errors import ConfigError, NumericalError
from ..shapes import Cloud
from .engines import DriftEngine
from .problem import Case, diffusion, drift_prefactor

#: Two normal numbers of `rng` differ by less than this.
NOISE_RANGE = 12.0
#: Positions beyond this do not fit in the float32 of a store.
LARGEST = 3e38


class Mover:
    """Holds what a step of one case needs; positions are a NumPy array on the CPU and a tensor on the GPU."""

    def __init__(
        self, config: SimulateConfig, case: Case, index: int, engine: DriftEngine, device: str, key: int | None = None
    ) -> None:
        self.config, self.case, self.engine, self.device = config, case, engine, device
        self.key, self.stream = config.seed if key is None else key, rng.noise_stream(index)
        self.prefactor = drift_prefactor(case, config.J)
        self.interacting = self.prefactor != 0.0
        self._fastest: Any = 0.0
        self._graph: Any = None
        #: Whether steps are replayed on the GPU; None before the first one.
        self.captured: bool | None = None

    def report(self) -> dict[str, Any]:
        """The engine's own, and on a GPU whether its steps are replayed."""
        return self.engine.report() | ({} if self.captured is None else {"captured": self.captured})

    def put(self, x: Cloud) -> Any:
        """A copy of ``x`` on the device."""
        if self.device == "cpu":
            return x.copy()
        import torch

        return torch.from_numpy(x).to(self.device)

    def get(self, x: Any) -> Cloud:
        """``x`` on the host."""
        return x if isinstance(x, np.ndarray) else x.cpu().numpy()

    def drift(self, x: Any, t: float) -> Any:
        """chi M / J sum_i g(r_ij^2) (X_i - X_j) + v(X_j, t), shape (J, d)."""
        v = self.case.flow.velocity(x, t)
        if v.shape != x.shape:
            raise ConfigError(f"flow {self.config.flow!r} gave shape {tuple(v.shape)} for positions {tuple(x.shape)}")
        if v.dtype != x.dtype:
            v = v.astype(x.dtype) if isinstance(v, np.ndarray) else v.to(x.dtype)
        if not self.interacting:
            return v
        force = self.prefactor * self.engine(x)
        if self.device == "cpu":
            self._fastest = max(self._fastest, force.max(), -force.min())
        else:  # stays on the device until somebody asks
            fastest = abs(force).max()
            if isinstance(self._fastest, type(fastest)):
                self._fastest.copy_(fastest.maximum(self._fastest))  # in place: a captured step keeps its address
            else:
                self._fastest = fastest
        return force + v

    def pull(self) -> float:
        """The largest distance so far, along an axis, by which attraction moved a particle in a step, over delta."""
        delta = math.sqrt(self.case.kernel_args[0])
        return float(self._fastest) * self.config.dt / delta if delta else 0.0

    def noise(self, x: Any, step: Any, dt: float) -> Any:
        """The Brownian increment of global step ``step``, (J, d)."""
        c = self.config
        scale = diffusion(self.case, dt)
        if self.device == "cpu":
            return np.asarray(scale, x.dtype) * rng.normals(self.key, self.stream, step, 0, c.J, c.dim, x.dtype)
        from .direct_gpu import normals

        return scale * normals(self.key, self.stream, step, 0, c.J, c.dim, x.dtype, x.device)

    def step(self, scheme: Callable[..., Any], x: Any, t: float, dt: float, step: int) -> Any:
        """The positions after global step ``step``, from ``t`` to ``t + dt``.

        Raises `NumericalError` when they are not finite, or when the step is longer than the cloud is wide.
        """
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # the guard reports them
            if self.device == "cuda" and self.captured is None and self.engine.name == "direct":
                self._capture(scheme, x)
            if self.captured and dt == self.config.dt:
                new, found = self._graph(x, t, step)
            else:
                new = scheme(x, t, dt, self.drift, self.noise(x, step, dt))
                found = _measured(x, new).tolist()
        self._guard(found, t, dt)
        return new

    def _capture(self, scheme: Callable[..., Any], x: Any) -> None:
        """Capture the launches of a step of full length, once for the whole run, where the flow lets it."""
        from .step_gpu import GraphStep

        dt = self.config.dt
        if not isinstance(self._fastest, type(x)):
            self._fastest = x.new_zeros(())
        fastest = self._fastest.clone()

        def advance(x: Any, t: Any, number: Any) -> Any:
            return scheme(x, t, dt, self.drift, self.noise(x, number, dt))

        self._graph = GraphStep.of(x, advance, _measured)
        self._fastest.copy_(fastest)  # the rounds before a capture were no steps
        self.captured = self._graph is not None

    def _guard(self, found: list[float], t: float, dt: float) -> None:
        """Stop a step in which particles moved against one another by more than the whole cloud is wide.

        Attraction brings a particle to the others and no further, and a resolved flow changes a distance by a small
        part of it; what noise can add is known. So such a step is one that the scheme does not resolve, whatever the
        kernel and the flow are. A common translation is none.
        """
        width, far, moved, reach = found
        rounding = 4 * float(np.finfo(self.config.dtype).eps) * far
        if moved <= width + NOISE_RANGE * diffusion(self.case, dt) + rounding and reach < LARGEST:
            return
        what = f"particles move by {moved:.3g} in one step, and the cloud is {width:.3g} wide"
        raise NumericalError(
            f"blow-up after t = {t:.6g}{_at(self.case)}: {what if reach < LARGEST else 'positions are not finite'}",
            f"use a smaller --dt (now {self.config.dt:g}), a larger --delta2 (now {self.case.kernel_args[0]:g}) or a "
            "kernel that delta regularises",
        )


def _measured(x: Any, new: Any) -> Any:
    """Four numbers of positions (J, d): largest extent of ``x`` along an axis, largest absolute value, largest extent
    of ``new - x``, largest absolute value of ``new``. Each is nan where it meets one.
    """
    xp = namespace(x)
    if xp is np:
        # axis by axis: NumPy is 20 times slower over the first axis of an array (J, 2)
        ends = [np.array([(axis.min(), axis.max()) for axis in part.T]) for part in (x, new - x, new)]
    else:
        ends = [xp.stack(xp.aminmax(part, dim=0), 1) for part in (x, new - x, new)]
    (old, moved, now), top = ends, xp.amax
    found = [top(old[:, 1] - old[:, 0]), top(abs(old)), top(moved[:, 1] - moved[:, 0]), top(abs(now))]
    return xp.stack(found)


def _at(case: Case) -> str:
    text = ", ".join(f"{name} = {value:g}" for name, value in case.values.items())
    return f" at {text}" if text else ""
