"""The self-similar solution of equation (1) in the plane with k = 0: an exact solution for every eps >= 0.

With mu = chi = 1, rho = U(s) / t and c = V(s) with s = |x| / sqrt(t), where U = a exp(W - s^2 / 4), V = V(0) + W and

    W'' + W' / s + (eps s / 2) W' + U = 0,    W(0) = W'(0) = 0,    M = 2 pi int U s ds.

Other mu and chi follow from t -> mu t, c -> chi c / mu, rho -> chi rho / mu, eps -> mu eps. Then E|X|^2 grows linearly,
the density at the origin falls as 1 / t, c at the origin stands still, and the chemical mass is M t / eps.
Biler, Guerra and Karch, Comm. Pure Appl. Anal. 14 (2015) 2117, treat its existence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError
from .integrated import Integrated, Solution

#: The profile ends where U and, for eps > 0, W' have fallen by exp(-40) = exp(-TAIL / 4).
TAIL = 160.0
#: Bracket of the central density in the search for the profile of a given mass.
LEAST, MOST = 1e-6, 1e6


@dataclass(frozen=True)
class SelfSimilar:
    """The profile of one mass. ``a`` = U(0); W, W' (``slope``) and the mass inside s at ``s`` (n,), for mu = chi =
    1."""

    eps: float
    mu: float
    chi: float
    M: float
    a: float
    s: NDArray[np.float64] = field(repr=False)
    W: NDArray[np.float64] = field(repr=False)
    mass: NDArray[np.float64] = field(repr=False)
    slope: NDArray[np.float64] = field(repr=False)

    def mass_within(self, r: ArrayLike, t: float) -> NDArray[np.float64]:
        """Fraction of the mass inside the radius ``r`` at time ``t`` > 0."""
        s = np.asarray(r, np.float64) / math.sqrt(self.mu * t)
        return self._at(s, self.mass / self.mass[-1])

    def second_moment(self, t: float) -> float:
        """E|X|^2 [length^2], proportional to ``t``."""
        s2 = self.s**2
        return float(np.trapezoid(1.0 - self.mass / self.mass[-1], s2)) * self.mu * t

    def central_density(self, t: float) -> float:
        """Density at the origin [mass / length^2]."""
        return self.a / t / self.chi

    def chemical(self, r: ArrayLike, t: float) -> NDArray[np.float64]:
        """c at distance ``r``, with c = 0 at infinity. Raises `ConfigError` for eps = 0, where c grows as log r."""
        if self.eps == 0.0:
            raise ConfigError("c of the elliptic equation in the plane grows as log r", "give eps > 0")
        s = np.asarray(r, np.float64) / math.sqrt(self.mu * t)
        return self._at(s, self.W - self.W[-1]) * self.mu / self.chi

    def chemical_slope(self, r: ArrayLike, t: float) -> NDArray[np.float64]:
        """dc/dr at distance ``r``."""
        width = math.sqrt(self.mu * t)
        s = np.asarray(r, np.float64) / width
        if self.eps > 0.0:
            inside = s * self._at(s, self.slope / np.maximum(self.s, 1e-8))
        else:  # W' = -mass / (2 pi s) holds outside the profile too
            inside = -self._at(s, self.mass) / (2.0 * math.pi * np.maximum(s, 1e-300))
        return inside * self.mu / self.chi / width

    def _at(self, s: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Interpolate ``values`` of the profile at ``s``, in s^2, in which they are smooth; constant beyond the
        last."""
        from scipy.interpolate import PchipInterpolator

        return np.asarray(PchipInterpolator(self.s**2, values)(np.minimum(s, self.s[-1]) ** 2))

    def draw(self, n: int, t: float, seed: int) -> NDArray[np.float64]:
        """Positions (n, 2) of independent particles at time ``t``, a function of ``seed``."""
        u, angle = np.random.default_rng(seed).random((2, n))
        r = self.radii(u, t)
        return np.stack([r * np.cos(2 * math.pi * angle), r * np.sin(2 * math.pi * angle)], 1)

    def radii(self, u: ArrayLike, t: float) -> NDArray[np.float64]:
        """Radius that holds the fraction ``u`` in [0, 1] of the mass at time ``t`` (inverse of the mass)."""
        part = np.asarray(u, np.float64) * self.mass[-1]
        return np.asarray(np.interp(part, self.mass, self.s) * math.sqrt(self.mu * t))


def self_similar(eps: float, *, M: float, mu: float = 1.0, chi: float = 1.0, points: int = 20_000) -> SelfSimilar:
    """The self-similar solution of mass ``M``: the branch that starts at M = 0.

    ``points`` is the number of grid points of the profile. Raises `ConfigError` for negative or non-finite arguments,
    and for a mass above the largest of the branch: 8 pi mu / chi at eps = 0, more as eps grows.
    """
    from scipy.optimize import brentq

    if not (eps >= 0 and M > 0 and mu > 0 and chi > 0 and points >= 100 and math.isfinite(eps + M + mu + chi)):
        raise ConfigError(
            f"self-similar solution with eps = {eps:g}, M = {M:g}, mu = {mu:g}, chi = {chi:g}",
            "give eps of 0 or more and positive M, mu and chi",
        )
    memory, mass = eps * mu, M * chi / mu
    low = LEAST
    for high in np.geomspace(LEAST, MOST, 200)[1:]:
        if _mass(memory, float(high)) >= mass:
            break
        low = float(high)
    else:
        raise ConfigError(
            f"there is no self-similar solution with M = {M:g} at eps = {eps:g}, mu = {mu:g}, chi = {chi:g}",
            f"use M of at most {_mass(memory, MOST) * mu / chi:.4g}",
        )
    a = float(brentq(lambda a: _mass(memory, a) - mass, low, float(high), xtol=1e-14, rtol=1e-13))
    end = _end(memory)
    s = end * np.linspace(0.0, 1.0, points) ** 2  # finer where the density is
    W, slope, inside = _profile(memory, a)(np.maximum(s, 1e-8))
    return SelfSimilar(eps, mu, chi, M, a, s, W, inside, slope)


def _end(eps: float) -> float:
    return max(math.sqrt(TAIL), math.sqrt(TAIL / eps) if eps > 0 else 0.0)


def _mass(eps: float, a: float) -> float:
    return float(_integrate(eps, a, math.sqrt(TAIL)).y[2, -1])


def _profile(eps: float, a: float) -> Solution:
    solution: Solution = _integrate(eps, a, _end(eps), dense=True).sol
    return solution


def _integrate(eps: float, a: float, end: float, dense: bool = False) -> Integrated:
    """(W, W', mass inside) from the origin to ``end``. A series starts it at s = 1e-8 / sqrt(a)."""
    from scipy.integrate import solve_ivp

    def rate(s: float, y: NDArray[np.float64]) -> list[float]:
        density = a * math.exp(y[0] - s * s / 4)
        return [y[1], -y[1] / s - eps * s / 2 * y[1] - density, 2 * math.pi * s * density]

    s = min(1e-8, 1e-8 / math.sqrt(a))
    start = [-a * s * s / 4, -a * s / 2, math.pi * a * s * s]
    result: Integrated = solve_ivp(rate, (s, end), start, "LSODA", rtol=1e-11, atol=1e-13, dense_output=dense)
    return result
