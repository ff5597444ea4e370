"""What a user's flow gets wrong is one line before the run, with the line of the user's file where code failed."""

from __future__ import annotations

import json

import numpy as np
import pytest

from ksdp_cli.base.failures import origin_of
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


class Objects(Faulty):
    def velocity(self, x: np.ndarray, t: float) -> object:
        return x.astype(object)


class Pole(Faulty):
    def velocity(self, x: np.ndarray, t: float) -> object:
        return 1 / (x - 0.5)


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
        (Objects, "of object"),
        (NotFinite, "\\[nan, nan\\]"),
        (InPlace, "changes"),
    ],
)
def test_it_is_one_line(flow: type, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        pose({"flow": flow, "J": 50})


def test_a_flow_that_is_singular_at_a_round_number_is_taken() -> None:
    pose({"flow": Pole, "J": 50})


def failed_in(file: str, module: str) -> str:
    """What `origin_of` says of an error in ``file``, called from here."""
    with pytest.raises(ZeroDivisionError) as caught:
        exec(compile("1 / 0", file, "exec"), {"__name__": module})
    return origin_of(caught.value.with_traceback(caught.tb.tb_next), {"plugged"})  # without this file


@pytest.mark.parametrize(
    ("file", "module", "is_of_user"),
    [
        ("/home/me/flow.py", "flow", True),
        ("<stdin>", "__main__", True),
        ("/v/lib/python3.12/site-packages/plugged/flow.py", "plugged.flow", True),
        ("/v/lib/python3.12/site-packages/zarr/core.py", "zarr.core", False),
        ("/usr/lib/python3/dist-packages/click/core.py", "click.core", False),
        (json.__file__, "json", False),
        ("<string>", "numba", False),
    ],
)
def test_only_files_of_users_and_plugins_are_to_blame(file: str, module: str, is_of_user: bool) -> None:
    assert failed_in(file, module) == (f" in line 1 of {file}" if is_of_user else "")


def test_an_error_of_ksdp_has_no_place_outside() -> None:
    with pytest.raises(ConfigError) as caught:
        pose({"flow": "laminar2d", "mu": -1})
    assert origin_of(caught.value) == ""
