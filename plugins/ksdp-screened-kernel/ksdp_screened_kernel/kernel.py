"""The attraction by a decaying chemical: equation (1) with k > 0."""

from __future__ import annotations

import math

from ksdp_cli.plugin import Field, Params

from .bessel import x_k1


class ScreenedParams(Params):
    k: float = Field(1.0, ge=0, description="inverse screening length, sqrt of the chemical's decay rate [1 / length]")


class Screened:
    """The Green's function of k^2 - Laplacian: K_0(k r) / (2 pi) in 2D, exp(-k r) / (4 pi r) in 3D.

    The force has the factor r^2 / (r^2 + delta^2), as in `blob`; k = 0 is `blob`.
    """

    Params = ScreenedParams

    @staticmethod
    def g2d(r2: float, delta2: float, k: float) -> float:
        return x_k1(k * math.sqrt(r2)) / (2.0 * math.pi * (r2 + delta2))

    @staticmethod
    def g3d(r2: float, delta2: float, k: float) -> float:
        r = math.sqrt(r2)
        return (1.0 + k * r) * math.exp(-k * r) / (4.0 * math.pi * r * (r2 + delta2))
