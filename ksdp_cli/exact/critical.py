"""The critical mass of the plane and the slope of law (6): the one place for both formulas.

In the plane a cloud of the elliptic problem spreads for chi M <= 8 pi mu and blows up above (Blanchet, Dolbeault and
Perthame, Electron. J. Differ. Equ. 2006, 44). In space no mass is critical: the density decides.
"""

from __future__ import annotations

import math

#: Critical chi M / mu of the plane [1]: the critical mass is CRITICAL * mu / chi.
CRITICAL = 8 * math.pi


def slope(*, mu: float, chi: float, M: float, J: int | None = None) -> float:
    """d E|X|^2 / dt of ``J`` particles by equation (6) [length^2 / time]; of the mean-field limit if ``J`` is None."""
    return 4 * mu - (chi * M / (2 * math.pi) if J is None else chi * M * (J - 1) / (2 * math.pi * J))
