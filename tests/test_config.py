"""Configurations: defaults of the paper, ranges, times, and errors that name the option."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from ksdp_cli.config import CompareConfig, SimulateConfig, TrainConfig, build, read_toml
from ksdp_cli.errors import ConfigError
from ksdp_cli.particles.problem import pose


def test_defaults_are_the_papers() -> None:
    config = build(SimulateConfig, {})
    assert (config.mu, config.chi, config.delta2) == ((1.0,), (1.0,), (1e-3,))
    assert (16 * math.pi,) == config.M
    assert (config.J, config.dt, config.kernel) == (10_000, 1e-4, "blob")
    training = TrainConfig(algorithm="paper")
    assert (training.network, training.solver, training.optimiser) == ("paper", "iterative-lp", "adam")
    assert TrainConfig(algorithm="paper", solver="certified").solver == "certified"
    assert (training.N, training.renew_batch, training.renew_gamma) == (2000, 1000, 200)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dt": -1}, "dt"),
        ({"dt": "nan"}, "--dt"),
        ({"J": 0}, "J"),
        ({"J": "many"}, "--J"),
        ({"mu": "-1"}, "mu = -1"),
        ({"T": 0.1, "snapshots": "0.2"}, "beyond T"),
        ({"T": 0.1, "t0": 0.1, "snapshots": "0.2"}, "beyond T.*count from t0"),
        ({"snapshots": "0.2,0.1"}, "increase"),
        ({"dtt": 1}, "mean --dt"),
        ({"engine": "magic"}, "engine"),
        ({"mu": "1:2:101", "chi": "1:2:101"}, "10201 cases"),
        ({"zip": "mu"}, "zip.*mu"),
        ({"seed": "0.5"}, "whole number"),
        ({"seed": 2**63}, str(2**63)),
        ({"seed": -1}, "seed"),
    ],
)
def test_errors_name_the_option(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        build(SimulateConfig, options)


def test_snapshots_end_at_T() -> None:
    assert build(SimulateConfig, {"T": 0.1}).snapshots == (0.1,)
    assert build(SimulateConfig, {"snapshots": "0,0.05"}).T == 0.05
    assert build(SimulateConfig, {"T": 0.1, "snapshots": "0.05"}).snapshots == (0.05, 0.1)


def test_a_stored_configuration_reads_back() -> None:
    config = pose({"flow": "laminar2d", "A": "1,10", "M": "4pi"}).config
    assert SimulateConfig.model_validate(config.model_dump(mode="json")) == config
    assert config.flow == "ksdp:laminar2d"


def test_parameters_reach_their_owner() -> None:
    problem = pose({"flow": "kolmogorov", "A": "1,10", "mu": "1,2"})
    assert [case.values for case in problem.cases] == [
        {"mu": 1.0, "A": 1.0},
        {"mu": 1.0, "A": 10.0},
        {"mu": 2.0, "A": 1.0},
        {"mu": 2.0, "A": 10.0},
    ]
    assert problem.cases[1].flow.params.A == 10.0
    assert "amplitude" in problem.units["A"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"flow": "kolmogorow"}, "'kolmogorov'"),
        ({"flow": "kolmogorov", "dim": 2}, "has dimension 3, not 2"),
        ({"flow": "none", "A": 100}, "--A"),
        ({"kernel": "laplace"}, "no kernel"),
        ({"init": "cube"}, "no initial cloud"),
        ({"dim": 4}, "not 4"),
        ({"flow": "laminar2d", "A": "fast"}, "not a number"),
    ],
)
def test_unknown_names_and_dimensions(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        pose(options)


def test_toml(tmp_path: Path) -> None:
    file = tmp_path / "run.toml"
    file.write_text('flow = "laminar2d"\nA = [1, 10]\nJ = 100\n')
    assert read_toml(file) == {"flow": "laminar2d", "A": [1, 10], "J": 100}
    file.write_text("flow = ")
    with pytest.raises(ConfigError, match="not valid TOML"):
        read_toml(file)
    with pytest.raises(ConfigError, match="cannot read"):
        read_toml(tmp_path / "none.toml")


@pytest.mark.parametrize("value", [True, 3, {"A": 1}, [1], [None]])
def test_what_is_no_list_of_names_is_refused(value: object) -> None:
    for model, name in ((TrainConfig, "eta"), (CompareConfig, "metrics"), (SimulateConfig, "zip")):
        with pytest.raises(ConfigError, match=f"--{name}"):
            build(model, {name: value})
