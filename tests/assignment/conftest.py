"""Pairs of clouds for the transition solvers, easy and nasty."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from ksdp_cli.initial.ball import Ball

Pair = tuple[NDArray[np.float32], NDArray[np.float32]]


def ball(n: int, seed: int = 0) -> Pair:
    """Two samples of the unit disc."""
    return Ball().draw(n, 2, seed), Ball().draw(n, 2, seed + 1)


def clump(n: int, seed: int = 0) -> Pair:
    """The disc against a disc half of whose mass has contracted fifty-fold: costs over many scales."""
    x, y = ball(n, seed)
    near = np.random.default_rng(seed).random(n) < 0.5
    return x, np.where(near[:, None], y * np.float32(0.02), y)


def vshape(n: int, seed: int = 0) -> Pair:
    """The unit ball against its image under the laminar flow (20), in 3D."""
    x, y = Ball().draw(n, 3, seed), Ball().draw(n, 3, seed + 1)
    y[:, 0] += 2 * np.exp(-(y[:, 1] ** 2) - y[:, 2] ** 2)
    return x, y


def late(n: int, seed: int = 0) -> Pair:
    """Two samples of one contracted law, as late in a training."""
    return clump(n, seed)[1], clump(n, seed + 10)[1]


def duplicates(n: int, seed: int = 0) -> Pair:
    """Coincident points on both sides: a third of x and half of y."""
    x, y = ball(n, seed)
    x[: n // 3] = x[0]
    y[: n // 2] = y[-1]
    return x, y


def lattice(n: int, seed: int = 0) -> Pair:
    """Points of a coarse grid: ties everywhere."""
    generator = np.random.default_rng(seed)
    return tuple(generator.integers(0, 4, (n, 2)).astype(np.float32) for _ in range(2))  # type: ignore[return-value]


PAIRS: dict[str, Callable[..., Pair]] = {
    made.__name__: made for made in (ball, clump, vshape, late, duplicates, lattice)
}


@pytest.fixture(params=sorted(PAIRS))
def make_pair(request: pytest.FixtureRequest) -> Callable[..., Pair]:
    """``make_pair(n, seed)``, each kind of pair in turn."""
    return PAIRS[request.param]


@pytest.fixture
def pairs() -> dict[str, Callable[..., Pair]]:
    return PAIRS
