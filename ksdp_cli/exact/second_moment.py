"""Equation (6): the second moment of the plane without flow, E|X(t)|^2 = E|X(t0)|^2 + (4 mu - chi M / (2 pi)) (t - t0).

J - 1 particles attract each of J particles, so the law of J particles has chi M (J - 1) / J in place of chi M. It is
exact up to the blow-up for the unregularised kernel; a regularised kernel attracts less at distances below delta.

>>> law = second_moment_law(SimulateConfig(M="16pi"), J=10**9, start=0.5)
>>> round(law(0.05), 6)
0.3
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..config import SimulateConfig
from ..provenance import short
from .critical import slope

#: Kernels equal to the plane's Green's function beyond a few delta. Another kernel may decay and have another law.
KERNELS = frozenset({"blob", "eq7", "plummer", "gaussian", "coulomb"})


@dataclass(frozen=True)
class SecondMomentLaw:
    """E|X|^2 [length^2] as a straight line: ``start`` at time ``t0``, ``slope`` [length^2 / time]."""

    start: float
    slope: float
    t0: float = 0.0

    def __call__(self, t: float) -> float:
        return self.start + self.slope * (t - self.t0)

    def end(self, t: float) -> float:
        """The earlier of ``t`` and the time at which the law reaches 0."""
        return min(t, self.t0 - self.start / self.slope) if self.slope < 0 else t


def second_moment_law(
    simulation: SimulateConfig, J: int, case: Mapping[str, float] | None = None, start: float | None = None
) -> SecondMomentLaw | None:
    """Equation (6) for ``J`` particles of ``simulation``, or None where it does not hold.

    It holds in 2D, for eps = 0, without flow, for the kernels in `KERNELS`. ``case`` gives the values of swept
    parameters. ``start`` is E|X|^2 at t0; if it is None the result is None.
    """
    if short(simulation.chemistry) != "elliptic":
        return None
    if simulation.dim != 2 or short(simulation.flow) != "none" or short(simulation.kernel) not in KERNELS:
        return None
    fixed = {name: values[0] for name, values in simulation.parameters().items() if len(values) == 1}
    p = fixed | dict(case or {})
    if start is None or not {"mu", "chi", "M"} <= p.keys():
        return None
    return SecondMomentLaw(start, slope(mu=p["mu"], chi=p["chi"], M=p["M"], J=J), simulation.t0)
