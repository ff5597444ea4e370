"""The exact solutions against laws that they were not made from."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ksdp_cli.errors import ConfigError
from ksdp_cli.exact.collapse import Collapse
from ksdp_cli.exact.radial import radial
from ksdp_cli.exact.self_similar import self_similar

#: (eps, M / pi): E|X|^2 / t, a = rho(0, t) t, c(0, t), computed independently by a shooting method.
TABLE = {
    (0.1, 2): (3.074129, 0.734302, 1.414908),
    (0.1, 4): (2.109896, 2.537048, 3.235041),
    (1.0, 4): (2.848573, 1.952393, 1.285833),
    (1.0, 6): (2.062459, 5.399455, 2.397074),
    (10.0, 8): (3.586983, 3.229296, 0.629833),
}


@pytest.mark.parametrize(("eps", "M"), TABLE)
def test_self_similar_numbers(eps: float, M: int) -> None:
    solution = self_similar(eps, M=M * math.pi)
    moment, a, c = TABLE[eps, M]
    assert solution.second_moment(1.0) == pytest.approx(moment, rel=1e-5)
    assert solution.central_density(1.0) == pytest.approx(a, rel=1e-5)
    assert float(solution.chemical(0.0, 1.0)) == pytest.approx(c, rel=1e-5)


@pytest.mark.parametrize("M", [2.0, 4.0, 6.0])
def test_elliptic_limit_is_equation_6(M: float) -> None:
    # from a point mass E|X|^2 = (4 mu - chi M / (2 pi)) t
    assert self_similar(0.0, M=M * math.pi).second_moment(0.7) == pytest.approx(0.7 * (4 - M / 2), rel=1e-5)


@pytest.mark.parametrize(("mu", "chi"), [(0.5, 2.0), (3.0, 1.0)])
def test_chemical_mass_grows_as_M_over_eps(mu: float, chi: float) -> None:
    eps, t = 0.7, 0.3
    M = 5.0 * mu / chi
    solution = self_similar(eps, M=M, mu=mu, chi=chi)
    r = solution.s * math.sqrt(mu * t)
    total = np.trapezoid(2 * math.pi * r * solution.chemical(r, t), r)
    assert total == pytest.approx(M * t / eps, rel=1e-4)


def test_slope_is_the_derivative() -> None:
    solution = self_similar(1.0, M=4 * math.pi)
    r = np.linspace(0.05, 3.0, 40)
    h = 1e-2
    difference = (solution.chemical(r + h, 0.5) - solution.chemical(r - h, 0.5)) / (2 * h)
    assert solution.chemical_slope(r, 0.5) == pytest.approx(difference, abs=2e-3)


def test_a_mass_that_the_branch_does_not_reach_is_refused() -> None:
    with pytest.raises(ConfigError, match="at most"):
        self_similar(0.0, M=8.5 * math.pi)


def test_draws_follow_the_law() -> None:
    # Kolmogorov-Smirnov: exceeds 1.95 / sqrt(n) with probability 1e-3
    solution = self_similar(1.0, M=4 * math.pi)
    n = 20_000
    r = np.sort(np.linalg.norm(solution.draw(n, 0.25, 0), axis=1))
    assert np.abs(solution.mass_within(r, 0.25) - (np.arange(n) + 0.5) / n).max() < 1.95 / math.sqrt(n)
    collapse = Collapse(0.05)
    r = np.sort(np.linalg.norm(collapse.draw(n, 0), axis=1))
    assert np.abs(collapse.mass_within(r, 0.0) / collapse.M - (np.arange(n) + 0.5) / n).max() < 1.95 / math.sqrt(n)


@pytest.mark.parametrize(("mu", "chi"), [(1.0, 1.0), (0.5, 3.0)])
def test_collapse_solves_the_radial_equation(mu: float, chi: float) -> None:
    # m_t = mu (m_rr - 2 m_r / r) + chi m m_r / (4 pi r^2), by central differences
    solution, t, h = Collapse(0.05, mu=mu, chi=chi), 0.02, 1e-4
    r = np.linspace(0.1, 1.5, 30)
    m = solution.mass_within(r, t)
    m_t = (solution.mass_within(r, t + h) - solution.mass_within(r, t - h)) / (2 * h)
    above, below = solution.mass_within(r + h, t), solution.mass_within(r - h, t)
    m_r, m_rr = (above - below) / (2 * h), (above - 2 * m + below) / h**2
    right = mu * (m_rr - 2 * m_r / r) + chi * m * m_r / (4 * math.pi * r**2)
    assert m_t == pytest.approx(right, rel=1e-4)
    density = solution.mass_within(1e-4, t) / (4 / 3 * math.pi * 1e-12)
    assert density == pytest.approx(solution.central_density(t), rel=1e-4)


def test_radial_solver_agrees_with_the_elliptic_self_similar_solution() -> None:
    # far from its start a disc of mass below 8 pi forgets its shape
    M, t = 2 * math.pi, 40.0
    disc = radial(t, M=M)
    assert disc.central_density(t) * t == pytest.approx(self_similar(0.0, M=M).central_density(1.0), rel=1e-2)
