"""The clouds and kernels of the sections, and a reference of their own."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.coulomb import Coulomb
from ksdp_cli.kernels.eq7 import Eq7
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.kernel_compiler.source import array_function

DELTA2 = 1e-3
#: Pairs of the reference that are held at a time: 128 MiB an array.
HELD = 1 << 24


class Stranger:
    """A kernel as a third party would write it, with a branch whose constant is no float32 number."""

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        cut = 1.0 if r2 < 0.25 else 0.1
        return cut * math.exp(-r2) / (2.0 * math.pi * (r2 + delta2))

    @staticmethod
    def g3d(r2: float, delta2: float) -> float:
        return math.exp(-math.sqrt(r2)) / (4.0 * math.pi * (r2 + delta2) * math.sqrt(r2 + delta2))


KERNELS: dict[str, Any] = {
    "blob": Blob,
    "eq7": Eq7,
    "gaussian": Gaussian,
    "plummer": Plummer,
    "coulomb": Coulomb,
    "stranger": Stranger,
}


def clouds(particles: int, dim: int) -> dict[str, np.ndarray]:
    """A ball, and the same with three quarters of it collapsed: (particles, dim) float32."""
    ball = Ball().draw(particles, dim, 0)
    collapsed = ball.copy()
    collapsed[: 3 * particles // 4] *= 0.02
    return {"ball": ball, "collapsed": collapsed}


def reference(kernel: Any, dim: int, x: Any, targets: Any = None) -> Any:
    """Forces (N, d) on ``targets``, all of ``x`` (J, d) by default, by plain torch in float64 where ``x`` lies."""
    import torch

    g = array_function(kernel, dim, torch)
    x = x.double()
    at = x if targets is None else targets.double()
    out = torch.empty_like(at)
    step = max(1, HELD // len(x))
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # or a branch between two constants is of float32
    try:
        for first in range(0, len(at), step):
            away = x - at[first : first + step, None]
            w = g(away.square().sum(2) + 1e-24, DELTA2)
            out[first : first + step] = (w[..., None] * away).sum(1)
    finally:
        torch.set_default_dtype(usual)
    return out


def error(force: Any, exact: Any) -> float:
    """Relative l2 error; 0 where both are 0, and infinite where one is not finite."""
    wrong, scale = float((force.double() - exact).norm()), float(exact.norm())
    if not math.isfinite(wrong):
        return math.inf
    return wrong / scale if scale else (0.0 if wrong == 0.0 else math.inf)
