"""A run about a moving origin is the run about a fixed one, wherever the cloud is and goes, in float32 too."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import xarray

import ksdp
from ksdp_cli.base.params import Params

FAR = 1e8


class Wind:
    """A uniform wind and a shear: v = (U + s x2 / FAR, U / 2)."""

    dims: ClassVar[tuple[int, ...]] = (2, 3)
    Params = Params

    def __init__(self, params: Any, dim: int) -> None:
        self.dim = dim

    def velocity(self, x: Any, t: Any) -> Any:
        v = x * 0.0
        v[:, 0] = 2e8 + x[:, 1] / 1e8
        v[:, 1] = 1e8
        return v


@pytest.mark.parametrize("scheme", ["euler", "heun"])
def test_a_far_cloud_moves_as_one_at_the_origin(tmp_path: Path, scheme: str) -> None:
    """Without flow equation (8) does not know where 0 is: equal to the rounding of float32 over 20 steps."""
    common: dict[str, Any] = {"J": 500, "T": 0.02, "dt": 1e-3, "scheme": scheme, "engine": "direct", "init": "gaussian"}
    far = ksdp.simulate(x0=FAR, y0=FAR, origin="moving", out=tmp_path / "far.zarr", **common)
    near = ksdp.simulate(origin="moving", out=tmp_path / "near.zarr", **common)
    assert far.frame().dtype == np.float64
    shift = far.origin() - near.origin()
    assert shift == pytest.approx(np.full(2, FAR), abs=1e-6)
    assert np.abs(far.stored(0, -1) - near.stored(0, -1)).max() < 2e-4
    assert (far.frame() == far.stored(0, -1) + far.origin()).all()


def test_a_moving_origin_changes_rounding_alone(tmp_path: Path) -> None:
    """Laminar flow, a cloud near 0: the same path in float64, whatever positions count from, to 1e-7 of float32."""
    common: dict[str, Any] = {"flow": "laminar2d", "A": 30, "J": 300, "T": 0.01, "dtype": "float64"}
    fixed = ksdp.simulate(out=tmp_path / "fixed.zarr", **common)
    moving = ksdp.simulate(origin="moving", out=tmp_path / "moving.zarr", **common)
    assert moving.frame() == pytest.approx(fixed.frame(), abs=1e-6)


def test_a_wind_carries_a_cloud_that_diffuses(tmp_path: Path) -> None:
    """Var x_j = 1/4 + 2 mu T along each axis and the mean goes with the wind, 2e7 away; the bound fails in 1 of 1e5."""
    run = ksdp.simulate(
        flow=Wind, M=0, J=4000, T=0.1, dt=1e-2, snapshots="0.05,0.1", origin="moving", out=tmp_path / "w.zarr"
    )
    x = run.frame(0, -1)
    assert x.mean(0) == pytest.approx([2e7, 1e7], abs=0.1 + 1e-2)
    variance = 0.25 + 0.2
    assert x.var(0) == pytest.approx([variance, variance], rel=4.5 * math.sqrt(2 / 4000))
    said: list[str] = []
    ksdp.simulate(flow=Wind, M=0, J=400, T=0.1, dt=1e-2, warn=said.append, out=tmp_path / "fixed.zarr")
    assert any("by t = " in word and "--origin moving" in word for word in said)


def test_a_run_about_a_moving_origin_goes_on_to_the_bit(tmp_path: Path) -> None:
    common: dict[str, Any] = {"flow": "laminar2d", "A": [1, 20], "J": 300, "dt": 1e-3, "origin": "moving"}
    whole = ksdp.simulate(T=0.02, snapshots="0.01,0.02", out=tmp_path / "a.zarr", **common)
    part = ksdp.simulate(T=0.01, out=tmp_path / "b.zarr", **common)
    part = ksdp.simulate(T=0.02, out=tmp_path / "b.zarr", resume=True, **common)
    for case in (0, 1):
        assert (part.frame(case) == whole.frame(case)).all()
        assert (part.origin(case) == whole.origin(case)).all()


def test_readers_add_the_origin(tmp_path: Path) -> None:
    """xarray, exports and a run that goes on from it have the true positions; what holds float32 alone refuses."""
    run = ksdp.simulate(flow=Wind, M=0, J=400, T=0.01, dt=1e-3, snapshots="0,0.01", origin="moving",
                        out=tmp_path / "w.zarr")  # fmt: skip
    x = run.frame(0, 1)
    assert (run.dataset()["position"].values[0, 1] == x).all()
    for suffix in ("npz", "nc"):
        ksdp.export(run, tmp_path / f"w.{suffix}")
    with np.load(tmp_path / "w.npz") as file:
        assert (file["position"][0, 1] == x).all()
    with xarray.open_dataset(tmp_path / "w.nc") as data:
        assert (data["position"].values[0, 1] == x).all()
    on = ksdp.simulate(flow=Wind, M=0, J=400, T=0.01, dt=1e-3, init=tmp_path / "w.zarr", origin="moving",
                       out=tmp_path / "on.zarr")  # fmt: skip
    assert on.frame().mean(0) == pytest.approx([2e6 + x[:, 0].mean(), 1e6 + x[:, 1].mean()], abs=0.1)
    for refused in (lambda: ksdp.train(run), lambda: ksdp.report(run.path)):
        with pytest.raises(ksdp.KsdpError, match="origin"):
            refused()
    (tmp_path / "w.zarr" / "origin" / "c" / "0" / "0" / "0").write_bytes(b"x" * 60)
    with pytest.raises(ksdp.KsdpError):
        ksdp.open_run(tmp_path / "w.zarr").frame()


def test_a_grid_of_the_chemical_does_not_move(tmp_path: Path) -> None:
    with pytest.raises(ksdp.KsdpError, match="parabolic") as caught:
        ksdp.simulate(chemistry="parabolic", eps=0.1, J=100, T=0.001, origin="moving", out=tmp_path / "a.zarr")
    assert caught.value.exit_code == 2
