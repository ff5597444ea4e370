"""Rosenhead-Moore / Plummer softening."""

from __future__ import annotations

import math

from ..base.params import Params


class Plummer:
    """Replaces r^2 by r^2 + delta^2 in the potential. Equal to `blob` in 2D; (r^2 + delta^2)^(-3/2) in 3D."""

    Params = Params

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return 1.0 / (2.0 * math.pi * (r2 + delta2))

    @staticmethod
    def g3d(r2: float, delta2: float) -> float:
        q = r2 + delta2
        return 1.0 / (4.0 * math.pi * q * math.sqrt(q))
