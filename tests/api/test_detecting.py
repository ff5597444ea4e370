"""A run that may collapse says by frame how concentrated it is, and when it blows up, in the store and in `info`."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api.detecting import agreeing, blow_up_of
from ksdp_cli.cli.info import _in_words
from ksdp_cli.errors import NumericalError
from ksdp_cli.exact.collapse import Collapse
from ksdp_cli.particles.problem import pose

RUN: dict[str, Any] = {
    "J": 3000,
    "dt": "auto",
    "dt_fraction": 2,
    "M": "24pi",
    "delta2": 5e-5,
    "snapshots": "0:0.052:27",
}


def test_the_blow_up_time_in_the_plane(tmp_path: Path) -> None:
    """The exact time for M = 24 pi is 0.0502; 10 % is asked of one seed of 3000 particles."""
    run = ksdp.simulate(out=tmp_path / "a.zarr", **RUN)
    (when,), (by_frame,) = run.attrs["t_b"], run.attrs["concentration"]
    assert when["t"] == pytest.approx(0.0502, rel=0.1)
    assert when["low"] < when["t"] < when["high"]
    assert when["radius"] == pytest.approx(16 * math.sqrt(5e-5))
    assert by_frame["t"] == [float(t) for t in run.times]
    assert by_frame["density"][-1] > 5 * by_frame["density"][0]
    half = np.array(by_frame["radii"])[:, 2]
    assert half[-1] < half[0] / 3
    assert ksdp.info(run.path)["t_b"] == [when]


def test_the_blow_up_time_in_space() -> None:
    """The densities of balls of the exact blow-up at T = 0.05, cut at 2: within 10 % of it, and in the interval."""
    exact = Collapse(0.05)
    problem = pose({"dim": 3, "M": exact.M, "delta2": 1e-5, "J": 100})
    times, r = np.linspace(0, 0.048, 17), np.geomspace(1e-4, 2, 4000)

    def density(t: float, part: float) -> float:
        radius = float(np.interp(part * exact.M, exact.mass_within(r, t), r))
        return part * exact.M / (4 / 3 * np.pi * radius**3)

    balls = [{"density": density(t, 0.01), "wide": density(t, 0.04), "critical_radius": None, "t": t} for t in times]
    when = blow_up_of(problem, problem.cases[0], balls)
    assert not isinstance(when, str)
    assert when.t == pytest.approx(0.05, rel=0.1)
    assert when.low < 0.05 < when.high


def test_a_radius_that_falls_for_ever_is_no_blow_up() -> None:
    """R = exp(-t) halves in equal times; R = sqrt(1 - t) ends at 1, by every pair of radii."""
    t = np.linspace(0, 4, 200)
    for strict in (True, False):
        assert "outside of" in str(agreeing(t.tolist(), np.exp(-2 * t), 0.05, strict=strict))
    assert "no pair" in str(agreeing(t.tolist(), np.exp(-2 * t), 0.3, strict=True))  # 4 x 0.3 is not passed
    assert "--delta2" in str(agreeing(t.tolist(), np.exp(-2 * t), 0.9, strict=False))  # it begins at 1, below 1.8
    assert "no collapse" in str(agreeing(t.tolist(), 1 - t / 10, np.sqrt(1 - t[-1] / 10), strict=False))
    found = agreeing((t / 4).tolist(), 1 - t / 4, 0.2, strict=True)
    assert not isinstance(found, str)
    assert found.t == pytest.approx(1.0)


def test_cases_run_alone_say_the_same(tmp_path: Path) -> None:
    run = RUN | {"J": 200, "M": "4pi,24pi", "delta2": 0.04, "snapshots": "0.01:0.03:3"}
    one = ksdp.simulate(out=tmp_path / "a.zarr", **run)
    for case in (1, 0):
        two = ksdp.simulate(out=tmp_path / "b.zarr", case=case, **run)
    assert one.attrs["concentration"] == two.attrs["concentration"]
    assert one.attrs["concentration"][0] is None  # 4 pi spreads
    assert one.attrs["t_b"] == two.attrs["t_b"]
    assert one.attrs["t_b"] == [None, None]
    assert one.attrs["no_t_b"] == two.attrs["no_t_b"]
    assert one.attrs["no_t_b"][0] is None
    assert "critical mass" in one.attrs["no_t_b"][1]
    assert "critical mass" in ksdp.info(one.path)["no_t_b"][1]


def test_a_sweep_says_each_reason_once() -> None:
    assert _in_words("no_t_b", [None, "too late", "too late", "no pair"]) == "too late (in 2 cases); no pair"
    assert _in_words("t_b", [1.5, None]) == _in_words("seed", [1.5, None])


def test_a_case_that_cannot_collapse_has_no_record(tmp_path: Path) -> None:
    for options in ({"M": "8pi"}, {"chi": -1}, {"chi": 0}):
        run = ksdp.simulate(out=tmp_path / "a.zarr", overwrite=True, J=50, T=1e-3, dt=1e-3, **options)
        assert "t_b" not in run.attrs


def test_a_run_that_ends_in_a_blow_up_says_it_too(tmp_path: Path) -> None:
    with pytest.raises(NumericalError):
        ksdp.simulate(out=tmp_path / "a.zarr", J=200, M=1e8, dt=1e-4, snapshots="0:0.01:11")
    assert "concentration" in ksdp.open_run(tmp_path / "a.zarr").attrs
