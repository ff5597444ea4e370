"""The radial problem of equation (1) in the plane and in space, for eps >= 0 and k >= 0.

Let v be the volume inside r, A = dv/dr, m the mass inside r and G = A c_r the flux of the chemical. Then

    m_t = mu A^2 m_vv - chi m_v G,    eps G_t = A^2 (m + G)_vv - k^2 G.

At eps = k = 0, G = -m. The grid is a sinh in v and resolves a small core; the scheme is second order in its spacing.
Call it by `ksdp_cli.exact.radial.radial`, which solves the elliptic problem of the plane in the one unknown m itself.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError, NumericalError
from .integrated import Integrated

if TYPE_CHECKING:
    from scipy.sparse import csc_array

Profile = NDArray[np.float64]
#: The grid is uniform below this part of the unit ball's volume; growth of the central density that ends the solution.
CORE, COLLAPSED = 1e-9, 1e8
TOLERANCE = 1e-8


class Start(Protocol):
    """A radial initial state: fraction of the mass inside r, and dc/dr, at time t."""

    def mass_within(self, r: ArrayLike, t: float) -> Profile: ...

    def chemical_slope(self, r: ArrayLike, t: float) -> Profile: ...


@dataclass(frozen=True)
class Equation:
    """Dimension and coefficients of equation (1)."""

    dim: int
    eps: float
    k: float
    mu: float
    chi: float
    M: float


@dataclass
class ChemotaxisSolution:
    """m and G over r and time. ``end`` is the last time reached, earlier than requested after a blow-up."""

    r: Profile
    equation: Equation
    begin: float
    end: float
    blown_up: bool
    _mass: Callable[[float], Profile] = field(repr=False)
    _flux: Callable[[float], Profile] = field(repr=False)

    def profile(self, t: float) -> Profile:
        """Mass inside each radius of ``r``. Raises `NumericalError` outside of [begin, end]."""
        self._check(t)
        return self._mass(t)

    def mass_within(self, r: ArrayLike, t: float) -> Profile:
        """Fraction of the mass inside the radius ``r``, in the shape of ``r``."""
        from scipy.interpolate import PchipInterpolator

        dim, inside = self.equation.dim, np.minimum(np.asarray(r, np.float64), self.r[-1])
        return np.asarray(PchipInterpolator(self.r**dim, self.profile(t) / self.M)(inside**dim))

    def second_moment(self, t: float) -> float:
        """E|X|^2 [length^2]."""
        return float(np.trapezoid(1.0 - self.profile(t) / self.M, self.r**2))

    def central_density(self, t: float) -> float:
        """Density at the origin [mass / length^d]."""
        dim = self.equation.dim
        return float(self.profile(t)[1] / (_area(dim) / dim * self.r[1] ** dim))

    def chemical_slope(self, r: ArrayLike, t: float) -> Profile:
        """dc/dr at ``r``."""
        self._check(t)
        slope = np.zeros_like(self.r)
        slope[1:] = self._flux(t)[1:] / (_area(self.equation.dim) * self.r[1:] ** (self.equation.dim - 1))
        return np.interp(np.asarray(r, np.float64), self.r, slope)

    @property
    def M(self) -> float:
        """Total mass."""
        return self.equation.M

    @property
    def blow_up_time(self) -> float | None:
        """Time at which the density at the origin diverged, to about 1e-4 relative; None if it has not by ``end``."""
        return self.end if self.blown_up else None

    def _check(self, t: float) -> None:
        if not self.begin <= t <= self.end * (1 + 1e-12):
            why = "the density has blown up" if self.blown_up else "the solution ends there"
            raise NumericalError(
                f"t = {t:g} is outside of [{self.begin:g}, {self.end:.6g}]: {why}", "ask for an earlier time"
            )


def solve(
    end: float,
    *,
    dim: int,
    eps: float,
    k: float,
    mu: float = 1.0,
    chi: float = 1.0,
    M: float = 16.0 * math.pi,
    points: int = 400,
    chemical: str = "zero",
    start: Start | None = None,
    begin: float = 0.0,
) -> ChemotaxisSolution:
    """Solve the radial problem from ``begin`` to ``end``, or to the blow-up if that is earlier.

    The start is the uniform ball of radius 1 with ``chemical`` "zero" or "elliptic" (the solution at eps = 0), or
    ``start`` at its time ``begin``. ``points`` is the number of cells to r = 1. Raises `ConfigError` for arguments out
    of range and `NumericalError` if the integration fails.
    """
    good = dim in (2, 3) and eps >= 0 and k >= 0 and mu > 0 and M > 0 and chi >= 0 and end > begin and points >= 16
    if not (good and math.isfinite(eps + k + mu + chi + M + end)):
        raise ConfigError(
            f"radial problem with dim = {dim}, eps = {eps:g}, k = {k:g}, mu = {mu:g}, chi = {chi:g}, M = {M:g}, "
            f"t = {begin:g} to {end:g}, points = {points}",
            "give dim 2 or 3; eps, k and chi of 0 or more; positive mu, M and t; points of 16 or more",
        )
    if chemical not in ("zero", "elliptic"):
        raise ConfigError(f"chemical = {chemical!r}", "use 'zero' or 'elliptic'")
    grid = _Grid(dim, points, _far(end, mu, eps))
    m = M * np.minimum(grid.u, 1.0) if start is None else M * np.asarray(start.mass_within(grid.r, begin))
    m[0], m[-1] = 0.0, M
    if start is not None:
        G = grid.A * np.asarray(start.chemical_slope(grid.r, begin))
    elif chemical == "elliptic" or eps == 0.0:
        G = grid.elliptic(m, k)
    else:
        G = np.zeros_like(m)
    G[0] = 0.0
    equation = Equation(dim, eps, k, mu, chi, M)
    system = _Parabolic(grid, equation, m, G) if eps > 0 else _Elliptic(grid, equation, m)
    result, blown_up = _integrate(system, begin, end)
    return ChemotaxisSolution(
        grid.r,
        equation,
        begin,
        float(result.t[-1]),
        blown_up,
        lambda t: system.parts(result.sol(t))[0],
        lambda t: system.parts(result.sol(t))[1],
    )


class _Grid:
    """Nodes in u = r^d and the second difference in v, the volume inside."""

    def __init__(self, dim: int, points: int, far: float) -> None:
        h = math.asinh(1.0 / CORE) / points
        self.u = CORE * np.sinh(h * np.arange(math.ceil(math.asinh(far**dim / CORE) / h) + 1))
        self.u[points] = 1.0
        self.v = self.u * _area(dim) / dim
        self.r = self.u ** (1.0 / dim)
        self.A = _area(dim) * self.r ** (dim - 1)
        self.step = np.diff(self.v)
        self.cell = (self.v[2:] - self.v[:-2]) / 2.0
        factor = self.A[1:-1] ** 2 / self.cell
        self.right, self.left = factor / self.step[1:], factor / self.step[:-1]

    def laplacian(self, f: Profile) -> Profile:
        """A^2 f_vv at the inner nodes."""
        return np.asarray(self.right * (f[2:] - f[1:-1]) - self.left * (f[1:-1] - f[:-2]))

    def pull(self, m: Profile, G: Profile) -> Profile:
        """m_v G at the inner nodes: each cell's density times its mean flux. This form makes the sums for moments
        telescope."""
        flux = np.diff(m) * (G[1:] + G[:-1]) / 2.0
        return np.asarray((flux[1:] + flux[:-1]) / (2.0 * self.cell))

    def pull_slopes(self, m: Profile, G: Profile) -> tuple[list[Profile], list[Profile]]:
        """Derivatives of `pull` with respect to m and to G at the node before, at the node itself and at the next."""
        flux, mass = (G[1:] + G[:-1]) / 2.0, np.diff(m) / 2.0
        by_m = [-flux[:-1], flux[:-1] - flux[1:], flux[1:]]
        by_G = [mass[:-1], mass[:-1] + mass[1:], mass[1:]]
        return [part / (2.0 * self.cell) for part in by_m], [part / (2.0 * self.cell) for part in by_G]

    def elliptic(self, m: Profile, k: float) -> Profile:
        """Solve A^2 (m + G)_vv = k^2 G, eps = 0, with (m + G)_v = k^2 c; c decays beyond the last node."""
        if k == 0.0:
            return -m
        from scipy.linalg import solve_banded

        n, h = self.cell.size, self.step[-1]
        bands = np.zeros((3, n + 1))
        bands[0, 1:], bands[1, :n], bands[2, : n - 1] = self.right, -self.right - self.left - k * k, self.left[1:]
        bands[2, n - 1] = 1.0 / h
        bands[1, n] = -1.0 / h - k * k * h / (2.0 * self.A[-1] ** 2) - self._decay(k) / self.A[-1]
        outside = np.concatenate([-self.laplacian(m), [(m[-1] - m[-2]) / h]])
        return np.concatenate([[0.0], solve_banded((1, 1), bands, outside)])

    def _decay(self, k: float) -> float:
        """-k^2 c / c_r of the solution that vanishes at infinity: K_0(k r) in the plane, exp(-k r) / r in space."""
        from scipy.special import k0e, k1e

        r = float(self.r[-1])
        return k * float(k0e(k * r) / k1e(k * r)) if self.A[-1] < 6.5 * r else k * k / (k + 1.0 / r)


class _Parabolic:
    """m and G side by side at the inner nodes: seven diagonals."""

    width = 3

    def __init__(self, grid: _Grid, equation: Equation, m: Profile, G: Profile) -> None:
        self.grid, self.equation = grid, equation
        self.mu, self.chi, self.eps, self.k2 = equation.mu, equation.chi, equation.eps, equation.k**2
        self.ends = (m[-1], G[-1])
        self.first = np.stack([m[1:-1], G[1:-1]], 1).ravel()
        self.scale = np.repeat(np.maximum(m[1:-1], CORE * m[-1]), 2)

    def parts(self, y: Profile) -> tuple[Profile, Profile]:
        return (
            np.concatenate([[0.0], y[0::2], [self.ends[0]]]),
            np.concatenate([[0.0], y[1::2], [self.ends[1]]]),
        )

    def rate(self, _: float, y: Profile) -> Profile:
        m, G = self.parts(y)
        out = np.empty_like(y)
        out[0::2] = self.mu * self.grid.laplacian(m) - self.chi * self.grid.pull(m, G)
        out[1::2] = (self.grid.laplacian(m + G) - self.k2 * G[1:-1]) / self.eps
        return out

    def jacobian(self, _: float, y: Profile) -> Profile:
        """The Jacobian by diagonals: row 3 + i - j holds d rate_i / d y_j."""
        m, G = self.parts(y)
        by_m, by_G = self.grid.pull_slopes(m, G)
        spread = [self.grid.left, -self.grid.left - self.grid.right, self.grid.right]
        bands = np.zeros((7, y.size))
        for place, shift in enumerate((-1, 0, 1)):
            rows = slice(max(0, -shift), spread[0].size - max(0, shift))
            columns = 2 * (np.arange(spread[0].size)[rows] + shift)
            bands[3 - 2 * shift, columns] = (self.mu * spread[place] - self.chi * by_m[place])[rows]
            bands[2 - 2 * shift, columns + 1] = (-self.chi * by_G[place])[rows]
            bands[4 - 2 * shift, columns] = spread[place][rows] / self.eps
            bands[3 - 2 * shift, columns + 1] = (spread[place][rows] - (self.k2 if shift == 0 else 0.0)) / self.eps
        return bands


class _Elliptic:
    """The unknown m; G follows from it at each time."""

    width = 1

    def __init__(self, grid: _Grid, equation: Equation, m: Profile) -> None:
        self.grid, self.equation = grid, equation
        self.mu, self.chi, self.k = equation.mu, equation.chi, equation.k
        self.M, self.first, self.scale = m[-1], m[1:-1], np.maximum(m[1:-1], CORE * m[-1])

    def parts(self, y: Profile) -> tuple[Profile, Profile]:
        m = np.concatenate([[0.0], y, [self.M]])
        return m, self.grid.elliptic(m, self.k)

    def rate(self, _: float, y: Profile) -> Profile:
        m, G = self.parts(y)
        return self.mu * self.grid.laplacian(m) - self.chi * self.grid.pull(m, G)

    def jacobian(self, _: float, y: Profile) -> Profile:
        """The three diagonals that belong to G = -m. For k > 0 the rest of G varies slowly; Newton's iteration ignores
        it."""
        by_m, by_G = self.grid.pull_slopes(*self.parts(y))
        before, here, after = (-self.chi * (a - b) for a, b in zip(by_m, by_G, strict=True))
        bands = np.zeros((3, y.size))
        bands[0, 1:] = (self.mu * self.grid.right + after)[:-1]
        bands[1] = -self.mu * (self.grid.left + self.grid.right) + here
        bands[2, :-1] = (self.mu * self.grid.left + before)[1:]
        return bands


def _integrate(system: _Parabolic | _Elliptic, begin: float, end: float) -> tuple[Integrated, bool]:
    """Integrate by BDF with dense output; return the result, and whether the density at the origin has grown by
    `COLLAPSED`, which ends it.

    The Jacobian of ``system`` has 2 ``width`` + 1 diagonals, the highest first. (LSODA fails at small eps.)
    """
    from scipy.integrate import solve_ivp
    from scipy.sparse import dia_array

    first, scale, width = system.first, system.scale, system.width
    limit = COLLAPSED * max(float(first[0]), float(scale.max()) * float(system.grid.u[1]))

    def collapsed(_: float, y: Profile) -> float:
        return float(y[0] / limit - 1.0)

    def matrix(t: float, y: Profile) -> csc_array:
        return dia_array((system.jacobian(t, y), range(width, -width - 1, -1)), shape=(first.size, first.size)).tocsc()

    collapsed.terminal = True  # type: ignore[attr-defined]
    result: Integrated = solve_ivp(
        system.rate,
        (begin, end),
        first,
        "BDF",
        dense_output=True,
        events=collapsed,
        rtol=TOLERANCE,
        atol=0.1 * TOLERANCE * scale,
        jac=matrix,
    )
    if not result.success:
        raise NumericalError(f"the radial problem stopped at t = {result.t[-1]:g}: {result.message}")
    return result, result.status == 1


def _area(dim: int) -> float:
    """Surface of the unit sphere."""
    return 2.0 * math.pi if dim == 2 else 4.0 * math.pi


def _far(end: float, mu: float, eps: float) -> float:
    """A radius that neither mass nor chemical reaches by the time ``end``. For very small eps, c is steady there."""
    spread = max(mu, 1.0 / max(eps, 1e-2)) if eps > 0 else mu
    return 1.0 + 9.0 * math.sqrt(2.0 * spread * end)
