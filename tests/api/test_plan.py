"""What a run will be, before it runs: thresholds and steps against exact ones, and nothing that is written."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from ksdp_cli import plan
from ksdp_cli.api.start_warnings import warn_before_start
from ksdp_cli.base import rng
from ksdp_cli.errors import ConfigError
from ksdp_cli.particles import limits
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.quiet import initial_positions

FEW: dict[str, Any] = {"J": 300, "T": 0.01, "dt": 1e-3}


def test_critical_mass_and_the_end_by_law_6() -> None:
    """8 pi mu / chi; E|X|^2 = 1/2 of the disc falls by chi M / 2 pi - 4 mu = 4 a unit of time for M = 16 pi."""
    (one,) = plan(**FEW)["thresholds"]
    assert one["critical_mass"] == 8 * math.pi
    assert one["M_over_critical"] == 2.0
    assert one["T_max"] == pytest.approx(0.125, rel=1e-12)
    (one,) = plan(mu=2, chi=3, M="16pi", radius=2, x0=5, **FEW)["thresholds"]
    assert one["critical_mass"] == pytest.approx(16 * math.pi / 3)
    assert one["T_max"] == pytest.approx(2.0 / (24 - 8), rel=1e-12)  # a centre that is not the origin adds nothing


def test_a_law_that_does_not_say_its_second_moment_is_measured() -> None:
    class Gauss:
        dims = (2,)

        def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
            return rng.normals(seed, stream, 0, start, n, dim) + 7

    (one,) = plan(init=Gauss, J=20_000, T=1e-3, dt=1e-3)["thresholds"]
    assert one["T_max"] == pytest.approx(0.5, rel=0.05)  # E|X - mean|^2 = 2 +- 0.014 of 20 000, over 4: 5 s.e.


@pytest.mark.parametrize(
    ("options", "critical", "says"),
    [
        ({"M": 8 * math.pi}, True, "spreads for ever"),
        ({"chi": -1}, False, "no attraction"),
        ({"chi": 0}, False, "no attraction"),
        ({"dim": 3}, False, "in space"),
        ({"flow": "laminar2d"}, True, "without a flow"),
        ({"chemistry": "parabolic", "delta2": 0.04}, True, "for eps > 0"),
    ],
)
def test_where_law_6_leaves_no_time(options: dict[str, Any], critical: bool, says: str) -> None:
    (one,) = plan(**FEW, **options)["thresholds"]
    assert one["T_max"] is None
    assert (one["critical_mass"] is not None) == critical
    assert says in one["says"]


def test_the_step_that_bounds_any_cloud() -> None:
    """r g of `blob` in the plane is largest at r = delta, 1 / (4 pi delta): delta / 2 takes delta^2 / 8 for 16 pi."""
    (of_mass,) = [one for one in plan(**FEW)["dt"]["limits"] if "all mass" in one["reason"]]
    assert of_mass["dt"] == pytest.approx(1e-3 / 8, rel=1e-4)
    assert of_mass["counts"]
    (of_mass,) = [one for one in plan(M="4pi", **FEW)["dt"]["limits"] if "all mass" in one["reason"]]
    assert of_mass["dt"] == pytest.approx(1e-3 / 2, rel=1e-4)
    assert not of_mass["counts"]  # it spreads


def test_the_flow_and_the_start_bound_it_too() -> None:
    flow = limits.step_limits(pose({"flow": "laminar2d", "A": 100, **FEW}), 0.0)
    assert any("the flow" in one.reason for one in flow)
    heun = limits.step_limits(pose({"flow": "laminar2d", "scheme": "heun"}), 0.0)
    assert any("the flow" in one.reason for one in heun)
    halved = limits.step_limits(pose({"flow": "laminar2d", "dt": "auto"}), 0.0)
    assert any("the flow" in one.reason for one in halved)
    (start,) = [one for one in limits.step_limits(pose(FEW), 2.0) if "at the start" in one.reason]
    assert start.dt == pytest.approx(1e-3 * 0.5 / 2.0)
    assert plan(chi=0, **FEW)["dt"]["stable"] is None


@pytest.mark.parametrize(("chi", "says"), [(1.0, "no limit is known"), (0.0, "nothing limits")])
def test_a_step_without_a_known_limit(chi: float, says: str) -> None:
    """With delta = 0 nothing is known of an attraction, which is not that nothing limits the step."""
    dt = plan(chemistry="parabolic", delta2=0, modes=16, chi=chi, **FEW)["dt"]
    assert dt["stable"] is None
    assert says in dt["reason"]


def test_mesh_and_cost() -> None:
    made = plan(chemistry="parabolic", delta2=0.04, J=300, T=2e-3, dt=1e-3)
    assert made["engine"] == "parabolic"
    assert {"modes", "boxes", "image_error"} <= made["mesh"].keys()
    made = plan(A="1,10", flow="laminar2d", snapshots="0:0.01:3", J=300, dt=1e-3)
    assert (made["steps"], made["frames"], made["disk_bytes"]) == (20, 6, (6 + 2) * 300 * 2 * 4)
    assert made["engine"] == "direct"
    assert made["seconds"] > 0


def test_the_mesh_of_a_cloud_that_a_flow_draws_out() -> None:
    """Its time is that of the mesh at T; and where that cannot resolve delta, a plan and a run say so before."""
    few = {"chemistry": "parabolic", "J": 300, "dt": 1e-3, "delta2": 0.04, "accuracy": 1e-3}
    made = plan(**few, flow="laminar2d", A=1000, T=0.05)
    assert made["seconds_a_step_at_T"] > made["seconds_a_step"]
    assert made["seconds"] > 50 * made["seconds_a_step"]
    assert not [doubt for doubt in made["doubts"] if "draw the cloud out" in doubt]
    problem = pose({**few, "flow": "hyperbolic", "A": 200, "T": 0.1})
    told: list[str] = []
    warn_before_start(problem, initial_positions(problem, problem.cases[0]), None, told.append)
    assert "4096 modes, the most, do not resolve delta = 0.2" in " ".join(told)


def test_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = plan(out="a.zarr", J=2000, T=0.05, dt=1e-4)
    assert list(tmp_path.iterdir()) == []
    assert said["seconds"] > said["steps"] * said["seconds_a_step"] > 0


def test_a_plan_refuses_what_simulate_refuses() -> None:
    with pytest.raises(ConfigError):
        plan(flow="none", J=-1)


def test_plan_on_the_command_line(tmp_path: Path) -> None:
    from typer.testing import CliRunner

    from ksdp_cli.cli.assembly import app

    runner = CliRunner()
    few = ["simulate", "--plan", "--J", "300", "--T", "0.01", "--dt", "1e-3", "-o", str(tmp_path / "a.zarr")]
    document = json.loads(runner.invoke(app, [*few, "--json"]).stdout)
    assert document["thresholds"][0]["T_max"] == pytest.approx(0.125)
    shown = runner.invoke(app, [*few, "--flow", "laminar2d", "--A", "1:30:30"]).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "18 more cases" in shown
    assert not (tmp_path / "a.zarr").exists()


def test_a_plan_of_an_ensemble_and_what_simulate_would_refuse() -> None:
    assert plan(J=100, T=2e-3, dt=1e-3, seed="0:2:3")["cases"] == 3
    for options in ({"origin": "moving", "store_field": 8}, {"origin": "moving", "chemistry": "parabolic", "eps": 0.1}):
        with pytest.raises(ConfigError, match="--origin"):
            plan(J=100, T=2e-3, dt=1e-3, **options)
