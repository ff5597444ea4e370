"""An exact solution that blows up in space: equation (1) in three dimensions with eps = k = 0.

With mu = chi = 1, rho = Q(x / sqrt(T - t)) / (T - t), Q(y) = 4 (6 + |y|^2) / (2 + |y|^2)^2, and the mass inside R is 16
pi R^3 / (R^2 + 2 (T - t)). Its total mass is infinite, so a run takes the mass inside a radius. Outer shells exert no
force on the inside (Newton); the cut acts only as far as diffusion has carried it. The solution is stable (Glogic and
Schörkhuber; Li and Zhou). Other mu and chi follow from t -> mu t, rho -> chi rho / mu.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import ConfigError


@dataclass(frozen=True)
class Collapse:
    """The solution that blows up at time ``T`` [time], cut at ``radius`` [length] at t = 0.

    Raises `ConfigError` unless all four arguments are positive.
    """

    T: float
    radius: float = 2.0
    mu: float = 1.0
    chi: float = 1.0

    def __post_init__(self) -> None:
        if not (self.T > 0 and self.radius > 0 and self.mu > 0 and self.chi > 0):
            raise ConfigError(
                f"collapse with T = {self.T:g}, radius = {self.radius:g}, mu = {self.mu:g}, chi = {self.chi:g}",
                "give four positive numbers",
            )

    @property
    def M(self) -> float:
        """The mass inside the cut at t = 0."""
        return float(self.mass_within(self.radius, 0.0))

    def mass_within(self, r: ArrayLike, t: float) -> NDArray[np.float64]:
        """Mass (not a fraction) of the uncut solution inside the radius ``r`` at time ``t`` <= T."""
        r = np.asarray(r, np.float64)
        with np.errstate(invalid="ignore"):
            mass = 16.0 * math.pi * r**3 / (r**2 + 2.0 * self.mu * (self.T - t))
        return np.where(r == 0.0, 0.0, mass) * self.mu / self.chi

    def central_density(self, t: float) -> float:
        """Density at the origin: 6 / (T - t) for chi = 1."""
        return 6.0 / (self.T - t) / self.chi

    def draw(self, n: int, seed: int) -> NDArray[np.float64]:
        """Positions (n, 3) of independent particles at t = 0 inside the cut, a function of ``seed``."""
        generator = np.random.default_rng(seed)
        radii = self.radii(generator.random(n))
        away = generator.standard_normal((n, 3))
        return np.asarray(radii[:, None] * away / np.linalg.norm(away, axis=1, keepdims=True))

    def radii(self, u: ArrayLike) -> NDArray[np.float64]:
        """Radius at t = 0 that holds the fraction ``u`` in [0, 1] of the mass inside the cut (inverse of the mass)."""
        r = np.linspace(0.0, self.radius, 20_001)
        mass = self.mass_within(r, 0.0)
        return np.asarray(np.interp(np.asarray(u, np.float64) * mass[-1], mass, r))

    def second_moment(self) -> float:
        """E|X|^2 at t = 0 inside the cut [length^2]."""
        r = np.linspace(0.0, self.radius, 20_001)
        return float(np.trapezoid(1.0 - self.mass_within(r, 0.0) / self.M, r**2))
