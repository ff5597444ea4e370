"""Steps too long for a flow are told for each scheme, and only where they are: against runs of many particles."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from ksdp_cli.particles.flow_advice import flow_warning
from ksdp_cli.particles.flow_steps import flow_doubt, flow_limit, moment_error
from ksdp_cli.particles.problem import pose

KOLMOGOROV: dict[str, Any] = {"flow": "kolmogorov", "A": 1000, "T": 0.004}
STRAIN: dict[str, Any] = {"flow": "hyperbolic", "A": 100, "T": 0.02}
#: Steps that `--dt auto` halves to 0.1 of the flow are still too long.
LONG_STRAIN: dict[str, Any] = {"flow": "hyperbolic", "A": 190, "T": 0.05, "delta2": 1e-2}
#: With 20 000 particles euler's E|X|^2 was off by 2.5 % and heun's by 0.04 %.
SHEAR: dict[str, Any] = {"flow": "laminar2d", "A": 10, "T": 0.4, "dt": 0.05}


@pytest.mark.parametrize(
    "options",
    [
        KOLMOGOROV | {"dt": 1e-3, "scheme": "heun"},
        KOLMOGOROV | {"dt": 1e-4, "scheme": "heun"},
        KOLMOGOROV | {"dt": 1e-4},
        STRAIN | {"dt": 2e-3, "scheme": "heun"},
        STRAIN | {"dt": 1e-3},
        STRAIN | {"dt": 1e-4},
        STRAIN | {"dt": "auto", "scheme": "euler"},
        SHEAR,
        LONG_STRAIN | {"dt": "auto"},
        LONG_STRAIN | {"dt": "auto", "scheme": "euler", "halvings": 2},
        LONG_STRAIN | {"dt": 2e-4},
        LONG_STRAIN | {"dt": 2e-3, "scheme": "heun", "halvings": 0},
    ],
    ids=str,
)
def test_a_step_that_is_wrong_is_told_and_the_advice_holds(options: dict[str, Any]) -> None:
    told = flow_warning(pose(options))
    assert told is not None
    ways = told.partition("; use ")[2].split(" or ")
    assert ways[0].startswith("--dt ")
    for way in ways:
        changes = dict(re.findall(r"--(\S+) (\S+)", way))
        assert flow_warning(pose(options | changes)) is None, way


def test_the_first_advice_is_the_whole_set_and_auto_is_offered_only_where_it_holds() -> None:
    """Else the step was to replace `--dt auto`, which had set the scheme and the halvings too."""
    told = str(flow_warning(pose(LONG_STRAIN | {"dt": "auto"})))
    assert told.endswith("use --dt 0.0002 --scheme heun --halvings 20")
    assert "auto" not in str(flow_warning(pose(LONG_STRAIN | {"dt": 2e-4})))
    assert str(flow_warning(pose(STRAIN | {"dt": 1e-4}))).endswith("or --dt auto --scheme heun")


@pytest.mark.parametrize(
    "options",
    [
        {"flow": "laminar2d", "A": 100, "T": 0.02},
        {"flow": "laminar2d", "A": "1:100:11log", "T": 0.1, "dt": 2e-4},
        {"flow": "laminar3d", "A": 200, "T": 0.02},
        {"flow": "kolmogorov", "A": 100, "T": 0.1, "dt": 2e-4},
        {"flow": "kolmogorov", "A": 130, "T": 0.02},
        {"flow": "laminar2d", "A": 1000, "T": 0.004, "dt": 1e-3},
        {"flow": "laminar2d", "A": 1000, "T": 0.004, "dt": 1e-3, "scheme": "heun"},
        STRAIN | {"dt": 1e-3, "scheme": "heun"},
        SHEAR | {"scheme": "heun"},
        KOLMOGOROV | {"dt": "auto"},
    ],
    ids=str,
)
def test_a_step_that_is_right_is_not_doubted(options: dict[str, Any]) -> None:
    """The runs of the paper, and a shear that carries particles far, but always at the same speed."""
    assert flow_warning(pose(options)) is None


@pytest.mark.parametrize(("scheme", "dt"), [("euler", 1e-3), ("heun", 2e-3)])
def test_the_error_that_is_told_is_that_of_a_strain(scheme: str, dt: float) -> None:
    """Without noise a step stretches x1 by 1 + a, or 1 + a + a^2 / 2, and a = A dt; exactly, by e^a."""
    problem = pose(STRAIN | {"dt": dt, "scheme": scheme, "mu": 0})
    a = 100 * dt
    stretch = 1 + a if scheme == "euler" else 1 + a + a * a / 2
    doubt = flow_doubt(problem)
    assert doubt is not None
    assert doubt.error is not None
    assert doubt.travel == pytest.approx(a, rel=1e-6)
    assert doubt.error == pytest.approx(1 - (stretch / np.exp(a)) ** (2 * 0.02 / dt), rel=0.2)


def test_a_long_run_is_tried_with_fewer_steps() -> None:
    """2000 steps: the error of 100, a twentieth; exactly 2 (A T) (A dt) / 2 = 0.2 % of euler."""
    problem = pose(STRAIN | {"dt": 1e-5, "mu": 0})
    start = problem.initial.draw(1000, 2, 0).astype(np.float64)
    assert moment_error(problem, problem.cases[0], start, 1e-5)[0] == pytest.approx(-2e-3, rel=0.05)


def test_halving_is_advised_where_it_can_be() -> None:
    long = pose(KOLMOGOROV | {"dt": 1e-3, "scheme": "heun"})
    assert "or --dt auto" in str(flow_warning(long))
    for only in ({"delta2": 0, "kernel": "coulomb"}, {"device": "cuda"}):
        told = flow_warning(pose(KOLMOGOROV | {"dt": 1e-3, "scheme": "heun"} | only))
        assert told is not None
        assert "auto" not in told


@pytest.mark.parametrize("strength", [3e4, 1e30])
def test_a_flow_that_overflows_is_told_or_left_to_the_run(strength: float) -> None:
    for scheme in ("euler", "heun"):
        told = flow_warning(pose({"flow": "hyperbolic", "A": strength, "T": 0.01, "scheme": scheme}))
        assert told is None or "nan" not in told


def test_the_plan_says_the_same_step() -> None:
    for options in (STRAIN | {"dt": 1e-4}, KOLMOGOROV | {"dt": 1e-4, "scheme": "heun"}):
        problem = pose(options)
        doubt, limit = flow_doubt(problem), flow_limit(problem)
        assert doubt is not None
        assert limit is not None
        assert limit[0] == pytest.approx(doubt.resolved)
        assert limit[2]
    limit = flow_limit(pose({"flow": "laminar2d", "A": 1000, "T": 0.004, "dt": 1e-3, "scheme": "heun"}))
    assert limit is not None
    assert not limit[2]
