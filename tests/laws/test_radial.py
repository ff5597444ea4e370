"""The radial truth against what is known exactly: slope of the moment, mass, heat equation, order of the scheme."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import ncx2

from ksdp_cli.errors import ConfigError, NumericalError
from ksdp_cli.exact.radial import radial


def heat(r: float, t: float, mu: float) -> float:
    """P(|X| < r) for X = uniform on the disc + N(0, 2 mu t), by Gauss-Legendre over the starting radius squared."""
    u, weight = np.polynomial.legendre.leggauss(60)
    return float(0.5 * weight @ ncx2.cdf(r * r / (2 * mu * t), 2, 0.5 * (u + 1) / (2 * mu * t)))


def test_slope_of_the_second_moment() -> None:
    solution = radial(0.09)
    for t in (0.0, 0.01, 0.05, 0.075, 0.09):
        assert solution.second_moment(t) == pytest.approx(0.5 - 4 * t, abs=1e-9)


@pytest.mark.parametrize(("mu", "chi", "M"), [(1.0, 1.0, 4 * math.pi), (0.5, 2.0, 6 * math.pi), (2.0, 0.5, 10.0)])
def test_slope_for_other_parameters(mu: float, chi: float, M: float) -> None:
    t = 0.03
    exact = 0.5 + (4 * mu - chi * M / (2 * math.pi)) * t
    assert radial(t, mu=mu, chi=chi, M=M).second_moment(t) == pytest.approx(exact, abs=1e-9)


def test_figure_of_the_method_page() -> None:
    assert radial(0.05).mass_within(0.2, 0.05) == pytest.approx(0.1440, abs=1e-4)


def test_mass_is_conserved_and_monotone() -> None:
    solution = radial(0.08)
    profile = solution.profile(0.08)
    assert profile[0] == 0.0
    assert solution.mass_within(1e3, 0.08) == 1.0
    assert np.diff(profile).min() > -1e-7
    # nothing reaches the outer wall
    assert 1.0 - solution.mass_within(math.sqrt(solution.s[-1]) * 0.9, 0.08) < 1e-8


def test_without_attraction_it_is_the_heat_equation() -> None:
    for mu, t in ((1.0, 0.1), (0.3, 0.5)):
        solution = radial(t, mu=mu, chi=0.0, points=1600)
        faint = radial(t, mu=mu, M=1e-7, points=1600)
        for r in (0.05, 0.3, 0.8, 1.2, 2.0):
            assert solution.mass_within(r, t) == pytest.approx(heat(r, t, mu), abs=3e-5)
            assert faint.mass_within(r, t) == pytest.approx(heat(r, t, mu), abs=3e-5)


def test_the_scheme_has_order_two() -> None:
    r = np.linspace(0.05, 1.2, 12)
    coarse, middle, fine = (radial(0.07, points=n).mass_within(r, 0.07) for n in (150, 300, 600))
    assert np.linalg.norm(coarse - middle) / np.linalg.norm(middle - fine) == pytest.approx(4.0, rel=0.15)


def test_below_the_critical_mass_it_spreads() -> None:
    solution = radial(2.0, M=7 * math.pi)
    density = [solution.central_density(t) for t in (0.5, 1.0, 2.0)]
    assert density[0] > density[1] > density[2]
    assert solution.blow_up_time == math.inf
    assert solution.end == 2.0


def test_blow_up() -> None:
    solution = radial(0.05)
    assert solution.blow_up_time == pytest.approx(0.09602, abs=1e-5)
    assert solution.blow_up_time < 0.125  # where E|X|^2 would vanish
    assert radial(0.05, points=400).blow_up_time == pytest.approx(solution.blow_up_time, abs=1e-5)
    # heavier is faster; the product chi M and the unit of time mu decide
    assert radial(0.01, M=24 * math.pi).blow_up_time < solution.blow_up_time
    assert radial(0.01, mu=2.0, chi=2.0).blow_up_time == pytest.approx(solution.blow_up_time / 2, rel=1e-5)
    past = radial(0.12)
    assert past.end == pytest.approx(past.blow_up_time, abs=1e-6)
    with pytest.raises(NumericalError, match="blown up"):
        past.mass_within(0.1, 0.11)


def test_at_the_start() -> None:
    solution = radial(0.0)
    np.testing.assert_allclose(solution.mass_within([0.0, 0.5, 1.0, 2.0], 0.0), [0.0, 0.25, 1.0, 1.0], atol=1e-12)
    assert solution.central_density(0.0) == pytest.approx(16.0)
    assert solution.second_moment(0.0) == pytest.approx(0.5)


@pytest.mark.parametrize("values", [{"mu": 0.0}, {"M": -1.0}, {"chi": math.nan}, {"points": 3}])
def test_wrong_arguments_are_refused(values: dict[str, float]) -> None:
    with pytest.raises(ConfigError):
        radial(0.1, **values)


def test_no_times_are_refused() -> None:
    with pytest.raises(ConfigError):
        radial([])


def test_times_outside_are_refused() -> None:
    with pytest.raises(NumericalError):
        radial(0.01).profile(0.02)


def test_radial_is_public() -> None:
    import ksdp_cli

    assert ksdp_cli.exact.radial.radial is radial
