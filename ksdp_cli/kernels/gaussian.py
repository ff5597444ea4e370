"""The Gaussian blob of Chorin and Bernard."""

from __future__ import annotations

import math

from ..base.params import Params


class Gaussian:
    """The Green's function convolved with a Gaussian of width delta; exact beyond a few delta.

    2D: (1 - exp(-s^2)) / (2 pi r^2), 3D: [erf(s) - 2 s exp(-s^2)/sqrt(pi)] / (4 pi r^3), s = r / delta.
    As s -> 0 both are differences of nearly equal numbers; a Taylor series replaces them there.
    Chorin and Bernard, J. Comput. Phys. 13 (1973) 423.
    """

    Params = Params

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        u = r2 / delta2
        series = 1.0 - u * (1.0 / 2.0 - u * (1.0 / 6.0 - u * (1.0 / 24.0 - u * (1.0 / 120.0 - u / 720.0))))
        whole = (1.0 - math.exp(-u)) / u
        return (series if u < 0.1 else whole) / (2.0 * math.pi * delta2)

    @staticmethod
    def g3d(r2: float, delta2: float) -> float:
        u = r2 / delta2
        s = math.sqrt(u)
        series = 1.0 / 3.0 - u * (1.0 / 5.0 - u * (1.0 / 14.0 - u * (1.0 / 54.0 - u * (1.0 / 264.0 - u / 1560.0))))
        near = 4.0 / math.sqrt(math.pi) * series
        far = (math.erf(s) - 2.0 / math.sqrt(math.pi) * s * math.exp(-u)) / (u * s)
        return (near if u < 0.3 else far) / (4.0 * math.pi * delta2 * math.sqrt(delta2))
