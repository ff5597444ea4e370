"""Deposit and gather: exact sums whatever the order, splines that reproduce polynomials, transforms divided out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ksdp_cli.particles.mesh.modes import Box, spectrum, synthesis
from ksdp_cli.particles.mesh.splines import ORDERS, Splines


def cloud(n: int, dim: int, seed: int = 0) -> list[np.ndarray]:
    return list(np.random.default_rng(seed).uniform(-1.7, 2.9, (dim, n)))


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("order", ORDERS)
def test_bits_do_not_depend_on_order_and_threads(dim: int, order: int) -> None:
    axes, n = cloud(70_001, dim), [12, 16, 18][:dim]
    shuffled = np.random.default_rng(1).permutation(70_001)
    grids, gradients = [], []
    for threads, order_of in ((1, np.arange(70_001)), (3, shuffled)):
        splines = Splines(order, n, [-1.0] * dim, 0.25, threads)
        part = [axis[order_of] for axis in axes]
        grids.append(splines.deposit(part))
        value, gradient = np.zeros(70_001), np.zeros((dim, 70_001))
        splines.gather(grids[-1], part, value, gradient)
        back = np.argsort(order_of)
        gradients.append((value[back], gradient[:, back]))
    assert np.array_equal(grids[0], grids[1])
    assert np.array_equal(gradients[0][0], gradients[1][0])
    assert np.array_equal(gradients[0][1], gradients[1][1])
    assert grids[0].sum() == pytest.approx(70_001, rel=1e-9)


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("order", ORDERS)
def test_a_wave_is_held_to_the_order(dim: int, order: int) -> None:
    # gather of a wave whose spline transform is divided out: error of the aliases, about (h k / 2 pi)^order
    for n, wave in ((24, 3), (48, 3)):
        splines = Splines(order, [n] * dim, [0.0] * dim, 1.0 / n)
        symbol = splines.symbol()
        turns = np.arange(n) / n
        factor = np.conj(symbol[0][wave])
        grid = np.real(np.exp(2j * math.pi * wave * turns) / factor)
        grid = np.broadcast_to(grid.reshape([-1] + [1] * (dim - 1)), [n] * dim).copy()
        axes = [np.random.default_rng(axis).random(500) for axis in range(dim)]
        value, gradient = np.zeros(500), np.zeros((dim, 500))
        splines.gather(grid, axes, value, gradient)
        bound = 3.0 * (wave / n) ** order / (1 - wave / n) ** order
        assert np.abs(value - np.cos(2 * math.pi * wave * axes[0])).max() < bound
        exact = -2 * math.pi * wave * np.sin(2 * math.pi * wave * axes[0])
        assert np.abs(gradient[0] - exact).max() < bound * 2 * math.pi * n
        assert np.abs(gradient[1:]).max() < 1e-10 * n


@pytest.mark.parametrize("dim", [2, 3])
def test_the_rows_that_particles_touch_are_enough(dim: int) -> None:
    """To the bit: deposit, its modes, and a field that is read, on a part of the nodes and on all of them."""
    box = Box([0.3] * dim, 4.0, 16, order=4, threads=2)
    for middle, width in ((0.4, 0.7), (0.3, 3.9)):  # the second cloud reaches around the edges
        axes = [middle + width * (axis - 0.6) / 4.6 for axis in cloud(3000, dim)]
        splines, whole = box.splines, [np.zeros(3000), np.zeros((dim, 3000))]
        window = splines.window(axes)
        assert (splines.deposit(axes)[window] == splines.deposit(axes, window)).all()
        assert (width > 1) == (window == tuple(slice(0, n) for n in box.nodes))
        modes = spectrum(splines.deposit(axes), [16] * dim, 1)
        assert (modes == spectrum(splines.deposit(axes, window), [16] * dim, 2, window, box.nodes)).all()
        grid = synthesis(modes, box.nodes, 1)
        assert (grid[window] == synthesis(modes, box.nodes, 2, window)).all()
        splines.gather(grid, axes, *whole)
        value, gradient = np.zeros(3000), np.zeros((dim, 3000))
        splines.gather(np.ascontiguousarray(grid[window]), axes, value, gradient, window)
        assert (value == whole[0]).all()
        assert (gradient == whole[1]).all()


def test_deposit_is_the_transpose_of_gather() -> None:
    axes = cloud(5000, 2)
    splines = Splines(4, [20, 14], [0.0, 0.0], 0.3)
    other = np.random.default_rng(2).standard_normal((20, 14))
    value, gradient = np.zeros(5000), np.zeros((2, 5000))
    splines.gather(other, axes, value, gradient)
    assert (splines.deposit(axes) * other).sum() == pytest.approx(value.sum(), abs=1e-6)
