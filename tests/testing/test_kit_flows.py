"""check_flow lets every flow that ships pass, and stops one that breaks a clause, naming it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, Field

from ksdp_cli import plugin, plugins
from ksdp_cli.flows.laminar import Laminar2D
from ksdp_cli.testing import check_flow

SHIPPED = [entry for entry in plugins.registry().of_kind("flow") if entry.distribution == "ksdp"]


@pytest.mark.parametrize("entry", SHIPPED, ids=lambda entry: entry.name)
def test_what_ships_passes(entry: Any) -> None:
    check_flow(entry.load())


class Good:
    """A rotation that turns faster with time."""

    dims: Any = (2,)

    class Params(plugin.Params):
        A: float = Field(3.0, description="angular velocity [1 / time]")

    def __init__(self, params: Any, dim: int) -> None:
        self.params = params

    def velocity(self, x: Any, t: float) -> Any:
        xp = plugin.namespace(x)
        return self.params.A * (1.0 + t) * xp.stack([-x[:, 1], x[:, 0]], 1)


def test_a_good_one_passes() -> None:
    check_flow(Good)
    check_flow(Good, {"A": -1.0}, radius=0.5)


class Planes(Good):
    dims = (1, 2)


class NoDims(Good):
    dims = 2


class Compressing(Good):
    def velocity(self, x: Any, t: float) -> Any:
        return super().velocity(x, t) + 1e-4 * x


class LaterCompressing(Good):
    def velocity(self, x: Any, t: float) -> Any:
        return super().velocity(x, t) + 1e-4 * t * x


class Speed(Good):
    """One number a particle, which would broadcast without a word."""

    def velocity(self, x: Any, t: float) -> Any:
        return super().velocity(x, t)[:, :1]


class Widening(Good):
    def velocity(self, x: Any, t: float) -> Any:
        return super().velocity(x, t) * np.ones(2) if isinstance(x, np.ndarray) else super().velocity(x, t)


class NumpyOnly(Good):
    def velocity(self, x: Any, t: float) -> Any:
        x = np.asarray(x)
        return np.stack([-x[:, 1], x[:, 0]], 1)


class Unlike(Good):
    """Another formula for tensors."""

    def velocity(self, x: Any, t: float) -> Any:
        return super().velocity(x, t) * (1.0 if isinstance(x, np.ndarray) else 1.01)


class Pole(Good):
    def velocity(self, x: Any, t: float) -> Any:
        xp = plugin.namespace(x)
        r2 = (x**2).sum(1)
        with np.errstate(all="ignore"):
            return xp.stack([-x[:, 1] / r2, x[:, 0] / r2], 1)


class InPlace(Good):
    def velocity(self, x: Any, t: float) -> Any:
        x *= 1.5
        return super().velocity(x, t)


class MeanField(Good):
    def velocity(self, x: Any, t: float) -> Any:
        return super().velocity(x, t) + 0.1 * x.mean(0)


class Failing(Good):
    def velocity(self, x: Any, t: float) -> Any:
        return self.params.B * x


class Unitless(Good):
    class Params(plugin.Params):
        A: float = Field(3.0, description="angular velocity")


class Required(Good):
    class Params(plugin.Params):
        A: float = Field(description="angular velocity [1 / time]")


class Taken(Good):
    class Params(plugin.Params):
        mu: float = Field(3.0, description="angular velocity [1 / time]")


class NoModel(Good):
    Params: Any = dict


BROKEN = {
    Planes: r"dims is \(1, 2\)",
    NoDims: "dims is 2",
    Compressing: "not divergence-free: div v = 0.0002",
    LaterCompressing: "not divergence-free.* t = 0.37",
    Speed: r"shape \(201, 1\) for positions of \(201, 2\)",
    Widening: "is float64 for positions in float32",
    NumpyOnly: r"turns a Tensor into a ndarray: use namespace\(x\)",
    Unlike: "differs by 0.01 between NumPy and torch",
    Pole: "not finite",
    InPlace: "changes the positions",
    MeanField: "depend on that point only",
    Failing: "AttributeError",
    Unitless: r"unit in brackets",
    Required: "a number with a default",
    Taken: "--mu is an option of 'ksdp simulate' itself",
    NoModel: "must be a pydantic model",
}


@pytest.mark.parametrize("flow", BROKEN, ids=lambda flow: flow.__name__)
def test_a_wrong_one_is_named(flow: Any) -> None:
    with pytest.raises(AssertionError, match=BROKEN[flow]) as caught:
        check_flow(flow)
    assert flow.__name__ in str(caught.value)


def test_a_parameter_that_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"Laminar2D.Params refuses k = 1"):
        check_flow(Laminar2D, {"k": 1})


def test_a_model_need_not_be_ours() -> None:
    class Plain(Good):
        class Params(BaseModel):  # type: ignore[assignment]
            A: float = Field(3.0, description="angular velocity [1 / time]")

    check_flow(Plain)
