"""The radial problem for eps >= 0, k >= 0 in the plane and in space, against laws and exact solutions."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import k1, kn

from ksdp_cli.errors import ConfigError, NumericalError
from ksdp_cli.exact.collapse import Collapse
from ksdp_cli.exact.radial import radial
from ksdp_cli.exact.radial_chemistry import ChemotaxisSolution, solve
from ksdp_cli.exact.self_similar import self_similar


@pytest.mark.parametrize("eps", [0.1, 1.0, 10.0])
def test_self_similar_solution_stays_self_similar(eps: float) -> None:
    exact = self_similar(eps, M=4 * math.pi)
    run = solve(1.0, dim=2, eps=eps, k=0.0, M=4 * math.pi, start=exact, begin=0.25, points=800)
    for t in (0.5, 1.0):
        assert run.second_moment(t) == pytest.approx(exact.second_moment(t), rel=2e-4)
        assert run.central_density(t) == pytest.approx(exact.central_density(t), rel=5e-4)
        r = np.linspace(0.1, 3.0, 20)
        assert run.chemical_slope(r, t) == pytest.approx(exact.chemical_slope(r, t), abs=2e-3)


def test_first_order_in_eps() -> None:
    elliptic = radial(0.05).second_moment(0.05)
    errors = [radial(0.05, eps=eps, chemical="elliptic").second_moment(0.05) - elliptic for eps in (1e-2, 1e-3, 1e-4)]
    orders = np.log10(np.array(errors[:-1]) / errors[1:])
    assert 0.9 < orders[0] < 1.05
    assert orders[1] == pytest.approx(1.0, abs=0.02)


def test_the_general_solver_agrees_with_the_one_of_the_elliptic_plane() -> None:
    # different times of blow-up and masses of the core; each errs by 1e-4
    general, plane = solve(0.15, dim=2, eps=0.0, k=0.0, points=800), radial(0.15)
    assert general.blow_up_time == pytest.approx(plane.blow_up_time, rel=1e-4)
    assert general.mass_within(0.2, 0.05) == pytest.approx(plane.mass_within(0.2, 0.05), abs=1e-4)
    assert general.second_moment(0.09) == pytest.approx(0.5 - 4 * 0.09, abs=1e-6)
    with pytest.raises(NumericalError, match="blown up"):
        general.profile(0.12)


@pytest.mark.parametrize("k", [0.01, 1.0, 3.0])
def test_screening_slows_the_second_moment_by_its_law(k: float) -> None:
    # L8: d/dt E|X|^2 = 4 mu - chi M / (2 pi) E[k r K_1(k r)], r the distance of two independent particles of the disc
    run = radial(0.002, k=k)
    assert isinstance(run, ChemotaxisSolution)
    h = 1e-3
    slope = (run.second_moment(2 * h) - run.second_moment(0.0)) / (2 * h)
    generator = np.random.default_rng(0)
    pairs = run.r[np.searchsorted(run.profile(h), run.M * generator.random((2, 200_000)))]
    angle = 2 * math.pi * generator.random(200_000)
    away = np.sqrt(pairs[0] ** 2 + pairs[1] ** 2 - 2 * pairs[0] * pairs[1] * np.cos(angle))
    away = np.maximum(away, 1e-9)
    # the mean of 200 000 pairs has a standard error below 1e-3; five of them are met with probability 1 - 6e-7
    assert slope == pytest.approx(4 - 8 * np.mean(k * away * k1(k * away)), abs=8 * 5e-3)
    assert kn(1, 1.0) == pytest.approx(k1(1.0))


def test_the_virial_of_space() -> None:
    # L9: d/dt E|X|^2 = 6 mu - chi M / (4 pi) E[1 / r], and E[1 / r] = 6 / 5 for the uniform ball
    run = radial(0.002, dim=3, M=20.0)
    slope = (run.second_moment(2e-4) - run.second_moment(0.0)) / 2e-4
    assert slope == pytest.approx(6 - 20.0 / (4 * math.pi) * 1.2, rel=1e-3)


def test_published_balls() -> None:
    # eps = 1e-4, k = 0.1: M = 20 spreads, M = 80 focuses and blows up between t = 0.05 and 0.07
    spread = radial(0.1, dim=3, eps=1e-4, k=0.1, M=20.0)
    assert spread.second_moment(0.05) == pytest.approx(0.8108, abs=2e-4)
    assert spread.second_moment(0.1) == pytest.approx(1.0310, abs=3e-4)
    focus = radial(0.15, dim=3, eps=1e-4, k=0.1, M=80.0)
    assert focus.second_moment(0.05) == pytest.approx(0.4909, abs=2e-4)
    assert isinstance(focus, ChemotaxisSolution)
    assert focus.blown_up
    assert 0.05 < focus.end < 0.07


class _Cut:
    """The exact collapse, cut at its radius."""

    def __init__(self, collapse: Collapse) -> None:
        self.collapse = collapse

    def mass_within(self, r: object, t: float) -> np.ndarray:
        return self.collapse.mass_within(np.minimum(r, self.collapse.radius), t) / self.collapse.M

    def chemical_slope(self, r: object, t: float) -> np.ndarray:
        return np.zeros_like(np.asarray(r, float))


def test_the_exact_collapse_in_space() -> None:
    exact = Collapse(0.05)
    run = solve(0.06, dim=3, eps=0.0, k=0.0, M=exact.M, start=_Cut(exact), points=800)
    assert run.blow_up_time == pytest.approx(0.05, rel=2e-3)
    for part in (0.5, 0.8, 0.95):
        t = part * exact.T
        assert run.mass_within(0.5, t) * exact.M == pytest.approx(float(exact.mass_within(0.5, t)), rel=1e-3)
        assert run.central_density(t) * (exact.T - t) == pytest.approx(6.0, rel=0.05)


@pytest.mark.parametrize("wrong", [{"dim": 4}, {"eps": -1.0}, {"k": math.inf}, {"eps": 1.0, "chemical": "full"}])
def test_arguments_out_of_range(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        radial(0.1, **wrong)  # type: ignore[arg-type]
