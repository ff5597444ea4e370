"""The unregularised Green's function."""

from __future__ import annotations

import math

from ..base.params import Params


class Coulomb:
    """Equation (4) itself; ignores ``delta2``. For reference only, since close pairs make a run unstable."""

    Params = Params

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return 1.0 / (2.0 * math.pi * r2)

    @staticmethod
    def g3d(r2: float, delta2: float) -> float:
        return 1.0 / (4.0 * math.pi * r2 * math.sqrt(r2))
