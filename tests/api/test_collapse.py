"""Delta too coarse for a cloud, and a run through its blow-up: said with numbers, and only where it is so."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.base import rng
from ksdp_cli.experiments.definition import shipped
from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles import collapse
from ksdp_cli.particles.precision import precision_warning
from ksdp_cli.particles.problem import pose


class Gauss:
    """Normal about the origin, variance 1/200 an axis."""

    dims: ClassVar[tuple[int, ...]] = (2,)

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> np.ndarray:
        return rng.normals(seed, stream, 0, start, n, dim, np.float32) * np.float32(200**-0.5)


def test_the_part_that_delta_takes_away_of_a_pair() -> None:
    """g = 1 / (2 pi (r^2 + delta^2)) of Plummer: delta^2 / (r^2 + delta^2) is missing; in 3D 1 - (r^2 / ..)^1.5."""
    for dim, exponent in ((2, 1.0), (3, 1.5)):
        pair = np.zeros((2, dim), np.float32)
        pair[1, 0] = 0.3
        part = (0.09 / (0.09 + 0.01)) ** exponent
        assert collapse.missing(Plummer, (0.01,), pair) == pytest.approx(1 - part, rel=1e-6)


def test_the_shipped_experiments_raise_no_doubt() -> None:
    for experiment in shipped():
        for scale in experiment.scales:
            problem = pose(experiment.simulate_options(scale))
            cloud = problem.initial.draw(4000, problem.config.dim, 0)
            assert collapse.doubts(problem, cloud) == []
            assert precision_warning(problem, cloud) is None
    for delta2 in (1e-2, 1e-3, 1e-4):  # figure 1 (a), and the prediction at t = 0.12
        assert collapse.doubts(pose({"delta2": delta2, "T": 0.12}), Ball().draw(4000, 2, 0)) == []


def test_law_6_ends_a_run_beyond_its_blow_up() -> None:
    """1/2 + (J - 1) / J (4 - M / 2 pi) t is 0 at t = 1/8 J / (J - 1) for M = 16 pi, and never for M = 8 pi."""
    cloud = Ball().draw(20_000, 2, 0)
    (told,) = collapse.doubts(pose({"T": 0.15, "J": 20_000}), cloud)
    assert "t = 0.125" in told
    assert "t = 0.15" in told
    for options in ({"T": 0.12}, {"M": 8 * math.pi, "T": 9}, {"flow": "laminar2d", "T": 0.15}, {"chi": -1, "T": 9}):
        assert collapse.doubts(pose({"J": 20_000} | options), cloud) == []
    for merge in ("delta", "stop"):  # heavy particles, or the end: delta holds nothing apart
        assert collapse.doubts(pose({"T": 0.15, "merge": merge}), cloud) == []
    (told,) = collapse.doubts(pose({"T": 0.15, "t0": 1.0, "M": "1,16pi"}), cloud)
    assert "t = 1.12" in told
    assert "at M = 50.2655" in told


def test_a_bump_that_delta_smears_out_is_doubted() -> None:
    """Pairs of a normal law have r^2 exponential of mean 4 / 200: x e^x E1(x) = 0.13 is missing, x = delta^2 / 0.02."""
    cloud = Gauss().draw(4000, 2, 0)
    told = collapse.doubts(pose({"init": Gauss, "M": 10 * math.pi, "T": 0.005}), cloud)
    assert len(told) == 1
    assert all(part in told[0] for part in ("delta = 0.0316", "--delta2", "--dt"))
    assert collapse.doubts(pose({"init": Gauss, "M": 10 * math.pi, "T": 0.005, "delta2": 1e-6}), cloud) == []
    for delta2, count in ((1e-2, 1), (1e-5, 0)):
        told = collapse.doubts(pose({"init": Gauss, "chemistry": "parabolic", "delta2": delta2}), cloud)
        assert len(told) == count


def test_a_run_through_its_blow_up_says_when_the_cloud_has_collapsed(tmp_path: Path) -> None:
    """The disc of M = 16 pi blows up at 0.096; delta^2 = 1e-3 delays it; by 0.2 half of the excess is lost."""
    said: list[str] = []
    common = {"J": 600, "dt": 5e-4, "warn": said.append}
    run = ksdp.simulate(T=0.2, out=tmp_path / "a.zarr", **common)
    assert 0.1 < run.attrs["collapsed_from"] < 0.2
    assert any("collapsed" in word and "delta" in word for word in said)
    cut = ksdp.simulate(T=0.19, out=tmp_path / "b.zarr", **common)
    cut = ksdp.simulate(T=0.2, out=tmp_path / "b.zarr", resume=True, **common)
    assert cut.attrs["collapsed_from"] == pytest.approx(run.attrs["collapsed_from"], abs=0.01)
    said.clear()
    tame: dict[str, Any] = ksdp.simulate(T=0.05, out=tmp_path / "c.zarr", **common).attrs
    assert "collapsed_from" not in tame
    assert said == []


def far(apart: float, J: int = 500) -> Any:
    class Far(Gauss):
        def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> np.ndarray:
            return Ball().draw(n, dim, seed, start, stream) + np.float32(apart)

    return Far


@pytest.mark.parametrize(("apart", "dtype"), [(1e6, "float32"), (1e15, "float32"), (1e15, "float64"), (1e9, "float64")])
def test_what_the_precision_cannot_hold_is_refused(tmp_path: Path, apart: float, dtype: str) -> None:
    with pytest.raises(ksdp.KsdpError, match="centre the cloud") as caught:
        ksdp.simulate(init=far(apart), M=0, J=500, T=0.02, dtype=dtype, out=tmp_path / "a.zarr")
    assert caught.value.exit_code == 2
    assert not (tmp_path / "a.zarr").exists()


def test_what_the_precision_can_hold_is_right(tmp_path: Path) -> None:
    """Near 1e6 in float64 every axis diffuses by 2 mu T = 0.04; near 3e4 in float32 rounding is told. Bound 2e-6."""
    said: list[str] = []
    for apart, dtype, doubts in ((1e6, "float64", 0), (3e4, "float32", 0), (1e5, "float32", 1)):
        law, options = far(apart), {"M": 0, "J": 4000, "dt": 1e-3, "dtype": dtype, "warn": said.append}
        said.clear()
        run = ksdp.simulate(init=law, T=0.02, out=tmp_path / f"{apart}{dtype}.zarr", **options)
        moved = run.frame().astype(float) - law().draw(4000, 2, 0)
        assert (moved**2).mean() == pytest.approx(0.04, rel=4.75 * math.sqrt(2 / 8000) + 0.01)
        assert len(said) == doubts
