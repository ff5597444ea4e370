"""The mesh against the direct sum on clouds that a tree finds hard, and its independence of the order of particles."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.eq7 import Eq7
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.particles.engines.direct_cpu import DirectCPU
from ksdp_cli.particles.mesh.engine import MeshEngine

DELTA2 = 1e-3


def clouds(n: int) -> dict[str, np.ndarray]:
    ball = Ball().draw(n, 2, 3).astype(np.float64)
    clump, cubed, v, long = ball.copy(), ball.copy(), ball.copy(), ball.copy()
    clump[: 9 * n // 10] *= 0.03
    cubed *= np.linalg.norm(cubed, axis=1)[:, None] ** 2
    t = np.random.default_rng(0).random(n)
    v[:, 0], v[:, 1] = 0.3 * v[:, 0] + 2 * t - 1, 0.3 * v[:, 1] + np.abs(2 * t - 1)
    long[:, 0] *= 6
    return {"ball": ball, "clump": clump, "cubed": cubed, "V": v, "long": long + 7.0}


@pytest.mark.parametrize("name", clouds(2))
@pytest.mark.parametrize("kernel", [Blob, Gaussian])
def test_accuracy_on_the_cloud_at_hand(name: str, kernel: type) -> None:
    x = clouds(4000)[name]
    exact = DirectCPU(kernel, (DELTA2,), 2, "float64")(x)
    for accuracy in (1e-3, 1e-5):
        engine = MeshEngine(kernel, (DELTA2,), "float64", accuracy)
        error = np.linalg.norm(engine(x) - exact) / np.linalg.norm(exact)
        assert error < 1.5 * accuracy
        assert engine.report()["met"]


def test_a_kernel_that_is_less_smooth_is_told_not_to_meet_it() -> None:
    # eq7 has a logarithm at the origin: its spectrum does not end, and the error falls slowly
    x = clouds(3000)["ball"]
    engine = MeshEngine(Eq7, (DELTA2,), "float64", 1e-7)
    exact = DirectCPU(Eq7, (DELTA2,), 2, "float64")(x)
    error = np.linalg.norm(engine(x) - exact) / np.linalg.norm(exact)
    told = engine.report()
    assert not told["met"]
    assert told["error"] == pytest.approx(error, rel=0.5)


def test_order_threads_and_repeats_do_not_change_a_bit() -> None:
    x = clouds(70_000)["V"].astype(np.float32)
    shuffled = np.random.default_rng(1).permutation(len(x))
    one = MeshEngine(Blob, (DELTA2,), "float32", 1e-3, threads=1)
    for _ in range(3):
        one(x)  # until the number of cells stands
    first, again = one(x), one(x)
    two = MeshEngine(Blob, (DELTA2,), "float32", 1e-3, threads=2)
    two.restore(one.state())
    assert first.dtype == np.float32
    assert np.array_equal(first, again)
    assert np.array_equal(two(x[shuffled]), first[shuffled])


def test_two_particles() -> None:
    # on the axis: g(r^2) r, the first one is drawn to the second
    r = 0.4
    x = np.array([[0.0, 0.0], [r, 0.0]])
    force = MeshEngine(Blob, (DELTA2,), "float64", 1e-6)(x)
    exact, strongest = r / (2 * math.pi * (r * r + DELTA2)), 1 / (4 * math.pi * math.sqrt(DELTA2))
    assert force == pytest.approx(np.array([[exact, 0.0], [-exact, 0.0]]), abs=1e-5 * strongest)


def test_not_finite() -> None:
    engine = MeshEngine(Blob, (DELTA2,), "float64")
    assert np.isnan(engine(np.array([[0.0, np.nan], [1.0, 1.0]]))).all()
    assert not engine(np.zeros((1, 2))).any()
