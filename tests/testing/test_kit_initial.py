"""check_initial_cloud lets the ball pass, and stops one that breaks a clause, naming it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ksdp_cli.initial.annulus import Annulus
from ksdp_cli.initial.ball import Ball
from ksdp_cli.testing import check_initial_cloud


def test_what_ships_passes() -> None:
    check_initial_cloud(Ball)
    check_initial_cloud(Ball())
    check_initial_cloud(Annulus, {"thickness": 0.0})  # all particles at z = 0


class Cut(Ball):
    """Draws again for each piece."""

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
        return np.random.default_rng([seed, stream]).random((n, dim), np.float32)


class Unseeded(Ball):
    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
        return np.random.default_rng().random((n, dim), np.float32)


class Seedless(Ball):
    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
        return super().draw(n, dim, 0, start, stream)


class Streamless(Ball):
    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
        return super().draw(n, dim, seed, start)


class Wide(Ball):
    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
        return super().draw(n, dim, seed, start, stream).astype(np.float64)


class Flat(Ball):
    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
        return super().draw(n, 2, seed, start, stream)


class Holed(Ball):
    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
        cloud = super().draw(n, dim, seed, start, stream)
        return np.where(np.abs(cloud) < 0.1, np.float32(np.nan), cloud)


class Grid(Ball):
    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> Any:
        return np.round(super().draw(n, dim, seed, start, stream), 1) + np.float32(seed + 0.01 * stream)


class Line(Ball):
    dims = (1,)


class Diagonal(Ball):
    """Places the disc on a line, with the law of each coordinate."""

    dims = (2,)

    def placed(self, u: Any, dim: int) -> Any:
        return super().placed(u, dim)[:, :1].repeat(2, 1)


class Doubled(Ball):
    def placed(self, u: Any, dim: int) -> Any:
        return super().placed(u, dim).astype(np.float64)


BROKEN = {
    Cut: "is not rows 1 to 301",
    Unseeded: "differs from call to call",
    Seedless: "under another seed",
    Streamless: "under another stream",
    Wide: "float64, not float32",
    Flat: r"shape \(1000, 2\)",
    Holed: "not finite",
    Grid: "different particles instead of 1000",
    Diagonal: "particles at x [+-] y <",
    Doubled: "float64, not those of draw",
    Line: r"dims is \(1,\)",
}


@pytest.mark.parametrize("cloud", BROKEN, ids=lambda cloud: cloud.__name__)
def test_a_wrong_one_is_named(cloud: Any) -> None:
    with pytest.raises(AssertionError, match=BROKEN[cloud]) as caught:
        check_initial_cloud(cloud)
    assert cloud.__name__ in str(caught.value)
