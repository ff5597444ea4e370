"""Equation (7), taken literally."""

from __future__ import annotations

import math

from ..base.params import Params


class Eq7:
    """The derivative of K_delta = K r^2 / (r^2 + delta^2), the paper's equation (7).

    It repels at short range: r below about 2 delta in 2D, below delta in 3D.
    """

    Params = Params

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        q = r2 + delta2
        return (1.0 / q + delta2 * math.log(r2) / (q * q)) / (2.0 * math.pi)

    @staticmethod
    def g3d(r2: float, delta2: float) -> float:
        q = r2 + delta2
        return (r2 - delta2) / (4.0 * math.pi * math.sqrt(r2) * q * q)
