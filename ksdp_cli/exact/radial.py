"""The radial solution of equation (3) in the plane, without flow, from the uniform disc: one equation in s = r^2.

Let m(s, t) be the mass inside the radius r. The continuity equation, integrated over the disc, gives
m_t = 2 pi r (mu rho_r - chi rho c_r), where c_r = -m / (2 pi r) and rho = m_s / pi, hence

    m_t = 4 mu s m_ss + chi / pi m m_s,    m(0, t) = 0,  m(S, t) = M,  m(s, 0) = M min(s, 1).

S is so large that the mass beyond it is below rounding. The solution is the radial law of the mean-field limit of
equation (8). It gives the blow-up time and E|X|^2 = integral of (1 - m / M) ds, whose slope is 4 mu - chi M / (2 pi).

>>> round(float(radial(0.05).second_moment(0.05)), 6)
0.3
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, NumericalError
from .critical import CRITICAL, slope

if TYPE_CHECKING:
    from .radial_chemistry import ChemotaxisSolution

#: The integration ends when the density at the origin has grown by this factor.
COLLAPSED = 1e8
#: The grid is uniform in s below this and geometric above; it resolves a core of 1e-8 of the disc's area.
CORE = 1e-9
TOLERANCE = 1e-9


@dataclass
class RadialSolution:
    """Mass m(s, t) over s = r^2 [length^2] and time. ``end`` is the last time reached, at most the blow-up time."""

    s: NDArray[np.float64]
    mu: float
    chi: float
    M: float
    end: float
    _inner: Callable[[float], NDArray[np.float64]] = field(repr=False)
    _blow_up: float | None = None

    def profile(self, t: float) -> NDArray[np.float64]:
        """m(s, t) on the grid ``s``. Raises `NumericalError` for a time before 0 or beyond ``end``."""
        if not 0.0 <= t <= self.end:
            why = "the density has blown up" if self._blow_up is not None else "the solution ends there"
            raise NumericalError(f"t = {t:g} is outside of [0, {self.end:.6g}]: {why}", "ask for an earlier time")
        if t == 0.0:
            return self.M * np.minimum(self.s, 1.0)
        return np.concatenate([[0.0], self._inner(t), [self.M]])

    def mass_within(self, r: ArrayLike, t: float) -> NDArray[np.float64]:
        """Fraction of the mass inside the radius ``r``, in the shape of ``r``; cubic between grid points."""
        from scipy.interpolate import PchipInterpolator

        s = np.minimum(np.square(np.asarray(r, np.float64)), self.s[-1])
        return np.asarray(PchipInterpolator(self.s, self.profile(t) / self.M)(s))

    def second_moment(self, t: float) -> float:
        """E|X|^2 at time ``t`` [length^2], by the trapezoidal rule, for which the scheme has the exact slope."""
        return float(np.trapezoid(1.0 - self.profile(t) / self.M, self.s))

    def central_density(self, t: float) -> float:
        """Density at the origin [mass / length^2]."""
        return float(self.profile(t)[1] / (math.pi * self.s[1]))

    @property
    def blow_up_time(self) -> float:
        """Time at which the density at the origin diverges; infinite for M <= 8 pi mu / chi.

        The integration follows the density until it has grown by 1e8. Its inverse falls to 0 almost linearly in time;
        a straight line through the last decade gives the zero, which is less than 1e-5 later.
        """
        if self.chi * self.M <= CRITICAL * self.mu:
            return math.inf
        if self._blow_up is None:
            bound = -0.5 / slope(mu=self.mu, chi=self.chi, M=self.M)  # equation (6) has E|X|^2 = 0 there
            self._blow_up = _plane(bound, self.mu, self.chi, self.M, _cells(self.s))._blow_up
            assert self._blow_up is not None
        return self._blow_up


@overload
def radial(
    t: float | Sequence[float], *, mu: float = ..., chi: float = ..., M: float = ..., points: int = ...
) -> RadialSolution: ...
@overload
def radial(
    t: float | Sequence[float],
    *,
    mu: float = ...,
    chi: float = ...,
    M: float = ...,
    eps: float = ...,
    k: float = ...,
    dim: int = ...,
    chemical: Literal["zero", "elliptic"] = ...,
    points: int = ...,
) -> RadialSolution | ChemotaxisSolution: ...
def radial(
    t: float | Sequence[float],
    *,
    mu: float = 1.0,
    chi: float = 1.0,
    M: float = 16.0 * math.pi,
    eps: float = 0.0,
    k: float = 0.0,
    dim: int = 2,
    chemical: Literal["zero", "elliptic"] = "zero",
    points: int = 800,
) -> RadialSolution | ChemotaxisSolution:
    """Solve the radial problem from 0 to the latest of ``t``, or to the blow-up if that is earlier.

    ``eps``, ``k`` and ``dim`` are those of equation (1). For eps > 0 the chemical starts from "zero", or from the
    "elliptic" solution of the uniform ball. ``points`` is the number of cells to r = 1; the error falls with its
    square. Raises `ConfigError` for arguments out of range and `NumericalError` if the integration fails.
    """
    end = float(np.max(t, initial=-math.inf))
    if eps or k or dim != 2:
        from .radial_chemistry import solve

        return solve(end, dim=dim, eps=eps, k=k, mu=mu, chi=chi, M=M, points=points, chemical=chemical)
    return _plane(end, mu, chi, M, points)


def _plane(end: float, mu: float, chi: float, M: float, points: int) -> RadialSolution:
    """Solve the elliptic problem of the plane, in the one unknown m."""
    from scipy.integrate import solve_ivp

    if not (mu > 0 and M > 0 and chi >= 0 and end >= 0 and points >= 16 and math.isfinite(mu + chi + M + end)):
        raise ConfigError(
            f"radial problem with t = {end:g}, mu = {mu:g}, chi = {chi:g}, M = {M:g}, points = {points}",
            "give positive mu and M, chi and t of 0 or more, and points of 16 or more",
        )
    s = _grid(points, (1.0 + 9.0 * math.sqrt(2.0 * mu * end)) ** 2)
    rate, jacobian = _scheme(s, mu, chi, M)
    start = M * np.minimum(s, 1.0)[1:-1]
    limit = COLLAPSED * M * s[1]

    def collapsed(_: float, m: NDArray[np.float64]) -> float:
        return float(m[0] / limit - 1.0)

    collapsed.terminal = True  # type: ignore[attr-defined]
    if end == 0.0:
        return RadialSolution(s, mu, chi, M, 0.0, lambda _: start)
    result: Any = solve_ivp(
        rate,
        (0.0, end),
        start,
        "LSODA",
        dense_output=True,
        events=collapsed,
        rtol=TOLERANCE,
        atol=TOLERANCE * M * np.minimum(s, 1.0)[1:-1],  # relative to the mass of the disc, so that the core counts
        jac=jacobian,
        lband=1,
        uband=1,
    )
    if not result.success:
        raise NumericalError(f"the radial problem stopped at t = {result.t[-1]:g}: {result.message}")
    blow_up = _extrapolate(result.t, 1.0 / result.y[0]) if result.status == 1 else None
    return RadialSolution(s, mu, chi, M, float(result.t[-1]), result.sol, blow_up)


def _grid(points: int, far: float) -> NDArray[np.float64]:
    """s = CORE sinh(k h) up to at least ``far``, with ``points`` cells to s = 1, where the initial density jumps."""
    h = math.asinh(1.0 / CORE) / points
    s: NDArray[np.float64] = CORE * np.sinh(h * np.arange(math.ceil(math.asinh(far / CORE) / h) + 1))
    s[points] = 1.0
    return s


def _cells(s: NDArray[np.float64]) -> int:
    return int(np.searchsorted(s, 1.0))


def _scheme(
    s: NDArray[np.float64], mu: float, chi: float, M: float
) -> tuple[Callable[..., object], Callable[..., object]]:
    """m_t at the inner points, and its tridiagonal Jacobian in LSODA's banded form.

    The sum of m_t over the cells telescopes to 4 mu (-M) + chi M^2 / (2 pi), so the slope of E|X|^2 is exact.
    """
    step = np.diff(s)
    cell = (s[2:] - s[:-2]) / 2.0
    right, left = 4.0 * mu * s[1:-1] / (cell * step[1:]), 4.0 * mu * s[1:-1] / (cell * step[:-1])
    pull = chi / (4.0 * math.pi * cell)

    def rate(_: float, inner: NDArray[np.float64]) -> NDArray[np.float64]:
        m = np.concatenate([[0.0], inner, [M]])
        up, down = m[2:] - m[1:-1], m[1:-1] - m[:-2]
        return np.asarray(right * up - left * down + pull * (m[2:] + m[:-2]) * (up + down))

    def jacobian(_: float, inner: NDArray[np.float64]) -> NDArray[np.float64]:
        m = np.concatenate([[0.0], inner, [M]])
        bands = np.zeros((3, inner.size))
        bands[0, 1:] = (right + 2.0 * pull * m[2:])[:-1]
        bands[1] = -right - left
        bands[2, :-1] = (left - 2.0 * pull * m[:-2])[1:]
        return bands

    return rate, jacobian


def _extrapolate(t: NDArray[np.float64], inverse: NDArray[np.float64]) -> float:
    """The zero of the straight line through the last decade of the inverse density."""
    first = int(np.argmax(inverse < 10.0 * inverse[-1]))
    return float(t[-1] + inverse[-1] * (t[-1] - t[first]) / (inverse[first] - inverse[-1]))
