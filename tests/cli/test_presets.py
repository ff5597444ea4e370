"""Every preset poses a problem, is listed, and runs with options that change it."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

import ksdp_cli
from ksdp_cli import presets
from ksdp_cli.errors import ConfigError
from ksdp_cli.particles.problem import pose

from .conftest import Ksdp


@pytest.mark.parametrize("name", presets.names())
def test_each_runs_a_step(name: str, tmp_path: Path) -> None:
    options = presets.options(name)
    assert pose(options).config.J >= 10_000
    few = options | {"J": 200, "T": options.get("dt"), "snapshots": None}
    assert ksdp_cli.simulate(out=tmp_path / "a.zarr", **few).frame(0, 0).shape[0] == 200
    assert presets.summary(name)


def test_the_gaussian_of_840_has_its_height() -> None:
    c = pose(presets.options("chertock-kurganov")).config
    variance = float(c.init_params["width"]) ** 2
    assert c.M[0] / (2 * math.pi * variance) == pytest.approx(840.0)


def test_the_chemical_of_420_has_its_height() -> None:
    """420 exp(-42 r^2) at the origin and at r = 0.1."""
    c0 = pose(presets.options("chertock-kurganov")).c0
    found = c0([np.array([0.0, 0.1]), np.zeros(2)])
    np.testing.assert_allclose(found, 420 * np.exp(-42 * np.array([0.0, 0.01])), rtol=1e-6)


def test_another_chemistry_takes_that_of_the_preset_away() -> None:
    changed = presets.with_changes("sipf-ball-80", {"chemistry": "elliptic", "delta2": 1e-3})
    assert not {"eps", "k", "box", "modes"} & set(changed)
    assert pose(changed).config.M == (80.0,)
    assert presets.with_changes("sipf-ball-80", {"chemistry": "parabolic"})["eps"] == 1e-4


def test_another_initial_cloud_takes_that_of_the_preset_away() -> None:
    changed = presets.with_changes("ring", {"init": "ball", "radius": 0.5})
    assert pose(changed).config.init_params == {"radius": 0.5}
    assert presets.with_changes("ring", {"init": "annulus", "outer": 2})["inner"] == 0.8


def test_the_command_takes_one_and_changes_it(ksdp: Ksdp, tmp_path: Path) -> None:
    listed = json.loads(ksdp("presets", "--json").stdout)["presets"]
    assert [one["name"] for one in listed] == presets.names()
    few = ("--J", "50", "--T", "1e-4", "-o", "a.zarr", "--json")
    shown = json.loads(ksdp("simulate", "--preset", "sipf-ball-80", *few).stdout)
    assert shown["frames"]


def test_an_unknown_one_is_a_usage_error() -> None:
    with pytest.raises(ConfigError):
        presets.options("sipf-ball-8")
