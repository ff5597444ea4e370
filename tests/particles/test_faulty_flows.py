"""What a user's flow gets wrong is one line before the run, with the line of the user's file where code failed."""

from __future__ import annotations

import numpy as np
import pytest

from ksdp_cli.base.place import place
from ksdp_cli.errors import ConfigError
from ksdp_cli.particles.problem import pose
from ksdp_cli.plugin import Params


class Faulty:
    dims, Params = (2,), Params

    def __init__(self, params: Params, dim: int) -> None:
        pass

    def velocity(self, x: np.ndarray, t: float) -> object:
        return x / {}["width"]


class OneAxis(Faulty):
    def velocity(self, x: np.ndarray, t: float) -> object:
        return x[:, :1]


class Columns(Faulty):
    def velocity(self, x: np.ndarray, t: float) -> object:
        return x[:, 0], x[:, 1]


class NotFinite(Faulty):
    def velocity(self, x: np.ndarray, t: float) -> object:
        return x * np.nan


class InPlace(Faulty):
    def velocity(self, x: np.ndarray, t: float) -> object:
        x *= -1
        return x


@pytest.mark.parametrize(
    ("flow", "said"),
    [
        (Faulty, "test_faulty_flows.py: KeyError"),
        (OneAxis, "shape \\(2, 1\\)"),
        (Columns, "a tuple"),
        (NotFinite, "\\[nan, nan\\]"),
        (InPlace, "changes"),
    ],
)
def test_it_is_one_line(flow: type, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        pose({"flow": flow, "J": 50})


def test_an_error_of_ksdp_has_no_place_outside() -> None:
    with pytest.raises(ConfigError) as caught:
        pose({"flow": "laminar2d", "mu": -1})
    assert place(caught.value) == ""
