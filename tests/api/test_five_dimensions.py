"""Clouds in more than three dimensions: stored, learned, sampled and compared; what draws says what it draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import sqrtm

import ksdp_cli as ksdp
from ksdp_cli.api.importing import import_files
from ksdp_cli.api.own_files import read_cloud
from ksdp_cli.errors import ConfigError, DataError
from ksdp_cli.metrics import exact_w2_squared

MEAN = np.array([1.0, -0.5, 0.0, 0.5, 2.0])
#: Symmetric and positive: the map x -> MEAN + x STRETCH is the gradient of a convex function, and so optimal.
STRETCH = np.diag([0.5, 1.0, 1.5, 1.0, 0.7]) + 0.1


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def normal(n: int, seed: int, dim: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n, dim))


def bures(m: np.ndarray, s: np.ndarray, n: np.ndarray, r: np.ndarray) -> float:
    """W2^2 of two Gaussians with means m, n and covariances s, r (Dowson and Landau, 1982)."""
    root = sqrtm(s)
    return float(((m - n) ** 2).sum() + np.trace(s + r - 2 * np.real(sqrtm(root @ r @ root))))


@pytest.mark.parametrize("dim", [4, 8])
def test_the_exact_distance_of_an_affine_image_is_known(dim: int) -> None:
    """Any monotone image of a sample is matched point by point: W2^2 is the mean of |x - f(x)|^2."""
    x, generator = normal(300, 1, dim), np.random.default_rng(2)
    root = generator.standard_normal((dim, dim))
    image = x @ (root @ root.T / dim + np.eye(dim)) + generator.standard_normal(dim)
    assert exact_w2_squared(x, image[generator.permutation(300)], "emd") == pytest.approx(
        ((x - image) ** 2).sum(1).mean(), rel=1e-9
    )


def test_a_gaussian_in_five_dimensions_is_learned_to_its_mean_and_covariance(capsys: pytest.CaptureFixture) -> None:
    source, target = normal(2000, 1), MEAN + normal(2000, 2) @ STRETCH
    data = ksdp.clouds({(0.0,): source, (1.0,): target}, names=["A"], source=source, out="a.zarr")
    assert data.dim == 5
    assert list(ksdp.open_run("a.zarr").dataset()["axis"].values) == ["x1", "x2", "x3", "x4", "x5"]
    ksdp.train(
        data, steps=200, N=250, renew_batch=20, renew_gamma=20, validate_every=200, validate_n=200, out="m.safetensors"
    )
    made = ksdp.sample("m.safetensors", n=2000, A=1, out="s.zarr")
    x = made.frame().astype(float)
    want = (MEAN, STRETCH @ STRETCH)
    far, near = bures(np.zeros(5), np.eye(5), *want), bures(x.mean(0), np.cov(x.T), *want)
    assert near < 0.03 * far
    told = ksdp.compare(made, data, A=1, metrics="w2,sliced,radial", N=300)
    assert (told.comparison.estimator, told.comparison.N) == ("emd", 300)
    drawn = ksdp.plot(made, out="p.png")
    assert "the first 3 of 5 dimensions are drawn" in drawn.notes
    for subject in ("s.zarr", "m.safetensors"):
        with pytest.raises(DataError, match="5 dimensions"):
            ksdp.report(subject)


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".npz", ".nc"])
def test_files_of_five_dimensions_come_back(suffix: str) -> None:
    x = normal(20, 3).astype(np.float32)
    run = ksdp.clouds({(): x}, names=[], source=x, out="a.zarr")
    ksdp.export(run.path, f"b{suffix}")
    np.testing.assert_array_equal(read_cloud(Path(f"b{suffix}")).astype(np.float32), x)
    assert import_files([f"b{suffix}"], {}, source=f"b{suffix}", out="c.zarr").dim == 5


def test_clouds_of_too_many_dimensions_are_refused() -> None:
    x = normal(20, 3)
    run = ksdp.clouds({(): x}, names=[], source=x, out="a.zarr")
    with pytest.raises(ConfigError, match="VTK"):
        ksdp.export(run.path, "b.vtkhdf")
    with pytest.raises(ConfigError, match="--source"):
        ksdp.clouds({(): x}, names=[], out="b.zarr")
    with pytest.raises(DataError, match="9 dimensions"):
        ksdp.clouds({(): normal(20, 3, 9)}, names=[], source=normal(5, 3, 9), out="b.zarr")
    with pytest.raises(ConfigError, match="dimension"):
        ksdp.simulate(init="a.zarr", T=0.01, dim=5, out="c.zarr")
