"""A flow's formula, read off its own code: the built-in flows have one, and what cannot be read is told."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ksdp_cli.base.arrays import namespace
from ksdp_cli.particles.flow_trace import Untraceable, evaluated, trace
from ksdp_cli.particles.problem import pose


class Written:
    """A flow from its formula alone."""

    def __init__(self, velocity: Any) -> None:
        self.velocity = velocity


def selected(x: Any, t: Any) -> Any:
    xp = namespace(x)
    r = xp.sqrt((x**2).sum(1))[:, None]
    return xp.where(x[:, :1] > 0.3, x * xp.cos(3 * x) * t / r, xp.tanh(x[:, [1, 0]]) * 2)


def swirling(x: Any, t: Any) -> Any:
    xp = namespace(x)
    v = xp.empty_like(x)
    v[:, 0], v[:, 1] = t * x[:, 1], -2.0 * t * x[:, 0]
    v *= 0.5
    return v + (1 - t) * x


def stacked(x: Any, t: Any) -> Any:
    xp = namespace(x)
    return xp.stack([x[:, 1] ** 3 - 1, -abs(x[:, 0]) / (2 + x[:, 1] ** 2) + xp.log(1 + x[:, 0] ** 2)], 1)


@pytest.mark.parametrize(
    ("flow", "dim"),
    [("none", 2), ("none", 3), ("laminar2d", 2), ("laminar3d", 3), ("kolmogorov", 3), ("hyperbolic", 2)],
)
def test_built_in_flows_have_a_formula_that_cases_share(flow: str, dim: int) -> None:
    sweep = {} if flow == "none" else {"A": [0.0, 1.0, 10.0]}
    cases = pose({"flow": flow, "dim": dim, "J": 10, **sweep}).cases
    formulas = [trace(case.flow, dim) for case in cases]
    assert len({formula.text for formula in formulas}) == 1
    assert len(set(formulas)) == len(cases)


def test_the_flow_of_the_plugin_has_a_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "plugins" / "ksdp-abc-flow"))
    flow = importlib.import_module("ksdp_abc_flow.flow")
    texts = {trace(flow.ABC(flow.ABCParams(B=b, wavenumber=b), 3), 3).text for b in (1.0, 2.0)}
    assert len(texts) == 1
    assert texts.pop().count("tl.sin") == 3


@pytest.mark.parametrize("velocity", [selected, stacked, swirling])
def test_a_formula_gives_what_the_flow_gives(velocity: Any) -> None:
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(1000, 2)).astype(np.float32))
    formula = trace(Written(velocity), 2)
    found, wanted = evaluated(formula, x, 0.7), velocity(x, 0.7)
    assert found.dtype == torch.float32
    assert float((found - wanted).abs().max()) < 1e-5


@pytest.mark.parametrize(
    ("velocity", "why"),
    [
        (lambda x, t: x - x.mean(0), "wrong by"),
        (lambda x, t: x * math.sin(t), "takes a value out"),
        (lambda x, t: x if t > 0.3 else 2 * x, "branches"),
        (lambda x, t: x**t, "power"),
        (lambda x, t: x * namespace(x).arctan(x), "arctan"),
        (lambda x, t: namespace(x).cos(x) if isinstance(x, np.ndarray) else x, "wrong by"),
        (lambda x, t: namespace(x).empty_like(x), "NoneType"),
        (lambda x, t: x[:, :1], "shape"),
    ],
)
def test_what_has_no_formula_says_why(velocity: Any, why: str) -> None:
    with pytest.raises(Untraceable, match=why):
        trace(Written(velocity), 2)
