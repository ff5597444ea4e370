"""The chemical on Fourier modes: exact discrete laws, direct sums, and the elliptic limit in free space."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.particles.engines.direct_cpu import DirectCPU
from ksdp_cli.particles.mesh.modes import Box
from ksdp_cli.particles.mesh.nested import Nested, Sizes, choose
from ksdp_cli.particles.mesh.transfer import carried, piece_of, pieces_of


def ball(n: int, dim: int) -> list[np.ndarray]:
    x = Ball().draw(n, dim, 0)
    x[: n // 3] *= 0.2
    return list(np.ascontiguousarray(x.T, np.float64))


@pytest.mark.parametrize("dim", [2, 3])
def test_against_the_sum_over_modes(dim: int) -> None:
    axes, count, side = ball(300, dim), 8, 4.0
    box = Box([0.1] * dim, side, count, order=8, over=3.0)
    modes = box.density(axes, 5.0)
    low = [0.1 - side / 2] * dim
    wave = np.ones((300, *modes.shape), complex)
    for q, axis, corner in zip(box.q, axes, low, strict=True):
        wave = wave * np.exp(1j * q * (axis - corner).reshape([-1] + [1] * dim))
    exact = wave.conj().mean(0) * 5.0 / side**dim
    assert np.abs(modes - exact).max() < 2e-6 * np.abs(exact).max()
    rng = np.random.default_rng(0)
    field = modes * box._paired * rng.random(modes.shape)
    value, gradient = np.zeros(300), np.zeros((dim, 300))
    box.add(field, axes, value, gradient)
    weight = np.full(modes.shape, 2.0)
    weight[..., 0] = 1.0
    exact = (wave * field * weight).real.sum(tuple(range(1, dim + 1)))
    assert value == pytest.approx(exact, abs=3e-6 * np.abs(exact).max())
    for axis in range(dim):
        exact = (1j * box.q[axis] * wave * field * weight).real.sum(tuple(range(1, dim + 1)))
        assert gradient[axis] == pytest.approx(exact, abs=3e-5 * np.abs(exact).max())


@pytest.mark.parametrize(("dim", "boxes"), [(2, 1), (2, 3), (3, 2)])
def test_discrete_laws_hold_to_rounding(dim: int, boxes: int) -> None:
    # L2: chemical mass; L3: frozen particles, every mode decays to its state by r^n
    eps, k, dt, mass = 1e-2, 0.5, 1e-3, 20.0
    axes = ball(2000, dim)
    nested = Nested([0.0] * dim, Sizes(8.0, 16, boxes, 4, 2.0, 0.0, 0.0))
    field, expected, memory = nested.zeros(), 0.0, eps / dt
    for _ in range(30):
        field = nested.advanced(field, axes, mass, memory, k)
        expected = (memory * expected + mass) / (memory + k * k)
        assert nested.mass(field) == pytest.approx(expected, rel=1e-12)
    for box, modes, density in zip(nested.boxes, field, nested.densities(axes, mass), strict=True):
        state = density / (box.q2 + k * k)
        r = memory / (box.q2 + k * k + memory)
        assert np.abs(modes - (1 - r**30) * state).max() < 1e-12 * np.abs(state).max()


@pytest.mark.parametrize(("dim", "delta", "boxes", "bound"), [(2, 0.1, 3, 1e-3), (3, 0.25, 3, 1e-4)])
def test_the_elliptic_limit_is_the_pair_sum_of_free_space(dim: int, delta: float, boxes: int, bound: float) -> None:
    axes = ball(3000, dim)
    x = np.stack(axes, 1)
    exact = DirectCPU(Gaussian, (delta**2,), dim, "float64")(x).T / len(x)

    def error(boxes: int) -> float:
        count = {2: 80, 3: 48}[dim]
        nested = Nested([0.0] * dim, Sizes(4.0, count, boxes, 6, 2.0, 0.0, 0.0), delta)
        field = nested.advanced(nested.zeros(), axes, 1.0, 0.0, 0.0)
        return float(np.linalg.norm(nested.at(field, axes)[1] - exact) / np.linalg.norm(exact))

    assert error(boxes) < bound
    assert error(1) > 20 * bound  # one periodic box: its images are a hidden error


def test_eps_to_zero_stands_still_at_the_elliptic_state() -> None:
    axes = ball(1000, 2)
    nested = Nested([0.0, 0.0], Sizes(4.0, 32, 2, 6, 2.0, 0.0, 0.0), 0.2)
    still = nested.at(nested.advanced(nested.zeros(), axes, 1.0, 0.0, 0.0), axes)[1]
    field = nested.zeros()
    for _ in range(40):
        field = nested.advanced(field, axes, 1.0, 1e-3 / 0.05, 0.0)
    assert np.linalg.norm(nested.at(field, axes)[1] - still) < 1e-5 * np.linalg.norm(still)


def test_sizes_follow_the_accuracy() -> None:
    sizes = choose(2, 2.0, 0.1, 1e-4)
    assert sizes.image_error <= 1e-4
    assert sizes.delta_error <= 1e-4
    assert sizes.count == pytest.approx(1.93 * sizes.side / 0.1, abs=3)
    assert choose(3, 2.0, 0.1, 1e-3, side=8.0).boxes == 1
    # a chemical that has no time to reach beyond a box needs no further one
    assert choose(2, 2.0, 0.1, 1e-4, reach=1.0).boxes == 1
    assert math.isclose(choose(2, 2.0, 0.1, 1e-3).side, 4.0)


@pytest.mark.parametrize(("dim", "delta"), [(2, 0.1), (3, 0.25)])
def test_boxes_share_the_splines_of_the_first_one(dim: int, delta: float) -> None:
    # the same field as by a deposit and a gather of every box for itself
    axes = ball(2000, dim)
    nested = Nested([0.1] * dim, choose(dim, 2.2, delta, 1e-4), delta)
    own = [box.density(axes, 3.0) for box in nested.boxes]
    for box, one, other in zip(nested.boxes, own, nested.densities(axes, 3.0), strict=True):
        assert np.abs(box.part(one - other)).max() < 1e-5 * np.abs(box.part(one)).max()
    field = nested.advanced(nested.zeros(), axes, 3.0, 0.3, 0.2)
    value, gradient = nested.at(field, axes)
    separate = np.zeros(2000), np.zeros((dim, 2000))
    for box, modes in zip(nested.boxes, field, strict=True):
        box.add(modes, axes, *separate)
    assert value == pytest.approx(separate[0], abs=1e-5 * np.abs(value).max())
    assert np.linalg.norm(gradient - separate[1]) < 1e-5 * np.linalg.norm(gradient)


@pytest.mark.parametrize(("dim", "width"), [(2, 3.1), (3, 2.7)])
def test_a_field_is_carried_to_larger_boxes(dim: int, width: float) -> None:
    delta, accuracy = {2: 0.15, 3: 0.3}[dim], 1e-4
    axes = ball(1000, dim)
    old = Nested([0.0] * dim, choose(dim, 2.0, delta, accuracy), delta)
    new = Nested([0.2] * dim, choose(dim, width, delta, accuracy), delta)
    field = old.advanced(old.zeros(), axes, 1.0, 0.5, 0.3)
    pieces = [piece_of(box, modes) for box, modes in zip(old.boxes, field, strict=True)]
    moved = [carried(pieces, box) for box in new.boxes]
    before, after = old.at(field, axes)[1], new.at(moved, axes)[1]
    assert np.linalg.norm(after - before) < 1e-3 * np.linalg.norm(before)
    assert new.mass(moved) == pytest.approx(old.mass(field), rel=1e-3)


@pytest.mark.parametrize(("dim", "delta", "bound"), [(2, 0.2, 1e-3), (3, 0.4, 3e-4)])
def test_stretched_boxes_are_free_space_for_a_long_cloud(dim: int, delta: float, bound: float) -> None:
    stretch = (6, *[1] * (dim - 1))
    axes = ball(500, dim)
    axes[0] = 10.0 * axes[0] + 0.3
    nested = Nested([0.3, *[0.0] * (dim - 1)], choose(dim, 2.0, delta, 1e-4, stretch=stretch), delta)
    assert nested.holds(axes)
    assert nested.boxes[0].zeros().size < 2.0 ** (1 - dim) * choose(dim, 20.0, delta, 1e-4).count ** dim / 10
    x = np.stack(axes, 1)
    exact = DirectCPU(Gaussian, (delta**2,), dim, "float64")(x).T / len(x)
    field = nested.advanced(nested.zeros(), axes, 1.0, 0.0, 0.0)
    assert np.linalg.norm(nested.at(field, axes)[1] - exact) < bound * np.linalg.norm(exact)


@pytest.mark.parametrize("large", [1 << 22, 0])
def test_a_field_is_carried_to_stretched_boxes_and_back(large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """By matrices, and by chirp transforms."""
    monkeypatch.setattr("ksdp_cli.particles.mesh.transfer.LARGE", large)
    delta, accuracy, axes = 0.15, 1e-4, ball(1000, 2)
    sets = [
        Nested(centre, choose(2, width, delta, accuracy, stretch=stretch), delta)
        for centre, width, stretch in (([0.0, 0.0], 2.0, ()), ([2.0, 0.1], 2.3, (3, 1)), ([3.0, 1.0], 9.0, ()))
    ]
    field = sets[0].advanced(sets[0].zeros(), axes, 1.0, 0.5, 0.3)
    before, mass = sets[0].at(field, axes)[1], sets[0].mass(field)
    for old, new in pairwise(sets):
        pieces = [piece_of(box, modes) for box, modes in zip(old.boxes, field, strict=True)]
        field = [carried(pieces, box) for box in new.boxes]
        assert np.linalg.norm(new.at(field, axes)[1] - before) < 1e-3 * np.linalg.norm(before)
        assert new.mass(field) == pytest.approx(mass, rel=1e-3)


@pytest.mark.parametrize("dim", [2, pytest.param(3, marks=pytest.mark.slow)])
def test_a_given_field_is_held(dim: int) -> None:
    nested = Nested([0.0] * dim, choose(dim, 2.0, 0.15, 1e-4), 0.0)

    def bump(x: Any) -> Any:
        return np.exp(-sum(axis**2 for axis in x) / 2.0)

    # a bump as wide as the first box: the edge of its band must not send it back
    modes = [carried(pieces_of(bump, nested.boxes), box) for box in nested.boxes]
    axes = ball(500, dim)
    value, gradient = nested.at(modes, axes)
    assert np.abs(value - bump(axes)).max() < 1e-3
    assert np.abs(gradient + bump(axes) * np.array(axes)).max() < 2e-3
    assert nested.mass(modes) == pytest.approx((2 * math.pi) ** (dim / 2), rel=1e-3)
