"""A run that may collapse says by frame how concentrated it is, and when it blows up, in the store and in `info`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.errors import NumericalError

RUN: dict[str, Any] = {
    "J": 3000,
    "dt": "auto",
    "dt_fraction": 0.5,
    "M": "24pi",
    "delta2": 4e-4,
    "snapshots": "0.02:0.056:19",
}


def test_the_plane(tmp_path: Path) -> None:
    """The exact time for M = 24 pi is 0.0502; 3000 particles are some 3 % off, and 10 % is asked of one seed."""
    run = ksdp.simulate(out=tmp_path / "a.zarr", **RUN)
    (when,), (by_frame,) = run.attrs["t_b"], run.attrs["concentration"]
    assert when["t"] == pytest.approx(0.0502, rel=0.1)
    assert when["low"] < when["t"] < when["high"]
    assert when["radius"] >= 16 * 0.0099
    assert by_frame["t"] == [float(t) for t in run.times]
    assert by_frame["density"][-1] > 5 * by_frame["density"][0]
    half = np.array(by_frame["radii"])[:, 2]
    assert half[-1] < half[0] / 3
    assert ksdp.info(run.path)["t_b"] == [when]


def test_cases_run_alone_say_the_same(tmp_path: Path) -> None:
    run = RUN | {"J": 200, "M": "4pi,24pi", "delta2": 0.04, "snapshots": "0.01:0.03:3"}
    one = ksdp.simulate(out=tmp_path / "a.zarr", **run)
    for case in (1, 0):
        two = ksdp.simulate(out=tmp_path / "b.zarr", case=case, **run)
    assert one.attrs["concentration"] == two.attrs["concentration"]
    assert one.attrs["concentration"][0] is None  # 4 pi spreads
    assert one.attrs["t_b"] == two.attrs["t_b"]


def test_what_cannot_collapse_says_nothing(tmp_path: Path) -> None:
    for options in ({"M": "8pi"}, {"chi": -1}, {"chi": 0}):
        run = ksdp.simulate(out=tmp_path / "a.zarr", overwrite=True, J=50, T=1e-3, dt=1e-3, **options)
        assert "t_b" not in run.attrs


def test_a_run_that_ends_in_a_blow_up_says_it_too(tmp_path: Path) -> None:
    with pytest.raises(NumericalError):
        ksdp.simulate(out=tmp_path / "a.zarr", J=200, M=1e8, dt=1e-4, snapshots="0:0.01:11")
    assert "concentration" in ksdp.open_run(tmp_path / "a.zarr").attrs
