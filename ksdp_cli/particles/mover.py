"""One case of equation (8) on one device: drift, noise and the guard against blow-up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import rng
from ..config import SimulateConfig
from ..errors import ConfigError, NumericalError
from ..flows.base import namespace
from ..shapes import Cloud
from .engines import DriftEngine
from .problem import Case, diffusion, drift_prefactor


class Mover:
    """Holds what a step of one case needs; positions are a NumPy array on the CPU and a tensor on the GPU."""

    def __init__(self, config: SimulateConfig, case: Case, index: int, engine: DriftEngine, device: str) -> None:
        self.config, self.case, self.engine, self.device = config, case, engine, device
        self.stream = rng.noise_stream(index)
        self.prefactor = drift_prefactor(case, config.J)
        self.interacting = self.prefactor != 0.0

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
        return self.prefactor * self.engine(x) + v if self.interacting else v

    def noise(self, x: Any, step: int, dt: float) -> Any:
        """The Brownian increment of global step ``step``, (J, d)."""
        c = self.config
        scale = diffusion(self.case, dt)
        if self.device == "cpu":
            return np.asarray(scale, x.dtype) * rng.normals(c.seed, self.stream, step, 0, c.J, c.dim, x.dtype)
        from .direct_gpu import normals

        return scale * normals(c.seed, self.stream, step, 0, c.J, c.dim, x.dtype)

    def step(self, scheme: Callable[..., Any], x: Any, t: float, dt: float, step: int) -> Any:
        """The positions after global step ``step``, from ``t`` to ``t + dt``.

        Raises `NumericalError` when they are not finite.
        """
        new = scheme(x, t, dt, self.drift, self.noise(x, step, dt))
        if not bool(namespace(new).isfinite(new.sum())):
            raise NumericalError(
                f"positions are not finite after t = {t + dt:.6g} ({_name(self.case)})",
                f"use a smaller --dt (now {dt:g}) or a larger --delta2 (now {self.case.kernel_args[0]:g})",
            )
        return new


def _name(case: Case) -> str:
    return ", ".join(f"{name} = {value:g}" for name, value in case.values.items()) or "the only case"
