"""Densities are densities: they integrate to the part of the cloud that is shown."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from ksdp_cli.errors import DataError
from ksdp_cli.figures._density import (
    SHOWN,
    box_of,
    cell_side,
    density,
    limits,
    point_masses,
    projections_of,
    require_clouds,
)

Clouds = Callable[..., np.ndarray]


@pytest.mark.parametrize(("n", "dim"), [(50, 2), (3000, 2), (3000, 3)])
def test_the_density_integrates_to_what_is_inside(cloud: Clouds, n: int, dim: int) -> None:
    x = cloud(n, dim)
    for projection in projections_of(dim):
        box, flat = box_of([x], projection), x[:, projection]
        side = cell_side([x], [box])
        values, outside = density(flat, box, side)
        area = np.prod((box[:, 1] - box[:, 0]) / values.shape)
        assert values.sum() * area == pytest.approx(1 - outside, rel=1e-12)
        inside = ((flat >= box[:, 0]) & (flat <= box[:, 1])).all(1).mean()
        assert 1 - outside == pytest.approx(inside, rel=1e-12)
        assert outside <= 2 * (1 - SHOWN)  # each axis leaves out one thousandth at most


def test_a_uniform_square_has_density_one() -> None:
    i = (np.arange(100) + 0.5) / 100
    x = np.stack(np.meshgrid(i, i), -1).reshape(-1, 2).astype(np.float32)
    box = np.array([[0.0, 1.0], [0.0, 1.0]])
    values, outside = density(x, box, 0.1)
    assert values.shape == (10, 10)
    assert outside == 0
    np.testing.assert_allclose(values, 1.0, rtol=1e-12)


def test_one_particle_in_one_cell() -> None:
    box = np.array([[0.0, 4.0], [0.0, 2.0]])
    values, outside = density(np.array([[3.5, 0.5], [9.0, 9.0]]), box, 1.0)
    assert values.shape == (4, 2)
    assert outside == 0.5
    assert np.argwhere(values).tolist() == [[3, 0]]
    assert values[3, 0] == 0.5


def test_limits_hold_both_clouds_and_forgive_a_stray_particle(cloud: Clouds) -> None:
    a, b = cloud(5000), cloud(5000, seed=1) + np.float32(10)
    ends = limits([a, b])
    assert (ends[:, 0] < np.quantile(a, 0.01, axis=0)).all()
    assert (ends[:, 1] > np.quantile(b, 0.99, axis=0)).all()
    stray = np.concatenate([a, np.full((1, 2), 1e6, np.float32)])
    assert limits([stray]).max() < 20


def test_a_cloud_without_width_has_a_picture() -> None:
    for x in (np.zeros((10, 2)), np.stack([np.linspace(0, 1, 10), np.zeros(10)], 1)):
        box = box_of([x], (0, 1))
        values, outside = density(x, box, cell_side([x], [box]))
        assert (box[:, 1] > box[:, 0]).all()
        assert outside == 0
        assert np.isfinite(values).all()


def test_clouds_that_cannot_be_drawn(cloud: Clouds) -> None:
    bad = cloud()
    bad[3, 1] = np.nan
    bad[7, 0] = np.inf
    with pytest.raises(DataError, match="2 of 2000"):
        require_clouds([cloud(), bad])
    with pytest.raises(DataError, match=r"shape \(0, 2\)"):
        require_clouds([np.zeros((0, 2))])
    with pytest.raises(DataError, match=r"shape \(5,\)"):
        require_clouds([np.zeros(5)])
    with pytest.raises(DataError, match="2 and 3 dimensions"):
        require_clouds([cloud(), cloud(dim=3)])


def test_projections() -> None:
    assert projections_of(2) == [(0, 1)]
    assert projections_of(3) == [(0, 1), (0, 2), (1, 2)]


def test_a_point_that_holds_much_is_apart_from_the_density(cloud: Clouds) -> None:
    x = cloud(3000)
    assert len(point_masses(x)[1]) == 0
    y = x.copy()
    y[::2], y[1:200:2] = y[0], y[1]  # a half and a thirtieth
    alone, points, parts = point_masses(y)
    assert len(alone) == 1400
    assert {tuple(point) for point in points} == {tuple(y[0]), tuple(y[1])}
    assert sorted(parts) == pytest.approx([100 / 3000, 0.5])
    values, outside = density(np.empty((0, 2)), np.array([[0.0, 1.0], [0.0, 1.0]]), 0.1)
    assert (values.max(), outside) == (0, 0)


def test_rounded_coordinates_are_a_density() -> None:
    """Particles on 6 x 6 pixels: each has about 1 / 36 of them, and all stay a density."""
    x = np.random.default_rng(0).integers(6, size=(3000, 2)).astype(float)
    alone, heavy, _ = point_masses(x)
    assert (len(alone), len(heavy)) == (3000, 0)


def test_a_bootstrap_has_no_point_masses_and_is_drawn_at_once() -> None:
    """A million particles on 2000 points: none holds much, and not each is looked for among all."""
    x = np.random.default_rng(0).random((2000, 2))[np.arange(1_000_000) % 2000]
    began = time.process_time()
    alone, heavy, parts = point_masses(x)
    assert (len(alone), len(heavy), len(parts)) == (1_000_000, 0, 0)
    assert time.process_time() - began < 2.0
