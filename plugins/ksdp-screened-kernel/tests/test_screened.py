"""The Bessel function against SciPy, the kernel against its potential and its limits, the drift against brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from ksdp_screened_kernel.bessel import x_k1
from ksdp_screened_kernel.kernel import Screened
from pydantic import ValidationError
from scipy.special import k0, k1

from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.particles.engines.direct_cpu import DirectCPU
from ksdp_cli.particles.kernel_compiler.source import array_function
from ksdp_cli.testing import check_kernel

DELTA2 = 1e-3


@pytest.mark.parametrize("k", [0.0, 1.0, 30.0])
def test_it_keeps_the_contract(k: float) -> None:
    check_kernel(Screened, {"k": k})


def test_x_k1_against_scipy() -> None:
    """Relative error below 2e-15, on both sides of the join at 2 too; SciPy's own is of the same size."""
    x = np.concatenate([np.geomspace(1e-12, 700.0, 5000), np.linspace(1.9, 2.1, 501)])
    found = np.array([x_k1(float(value)) for value in x])
    assert np.abs(found / (x * k1(x)) - 1).max() < 2.5e-15
    assert x_k1(0.0) == 1.0
    assert x_k1(1e4) == 0.0


def test_the_compiled_float32_force_keeps_its_digits() -> None:
    """2 pi r g = x K_1(x) / r by the compiled loop, k = 1, delta = 0: error below 1e-6 of it for x <= 20."""
    r = np.geomspace(1e-4, 20.0, 2000).astype(np.float32)
    engine = DirectCPU(Screened, (0.0, 1.0), 2, "float32", threads=1)
    force = np.zeros((2, len(r)))
    engine.accumulate(-r, np.zeros_like(r), *[np.zeros(1, np.float32)] * 2, *force, engine.args)
    exact = k1(r.astype(np.float64)) / (2 * math.pi)
    assert np.abs(force[0] / exact - 1).max() < 1e-6 * 4  # exp(-x) alone loses x / 8 units


def test_it_is_the_derivative_of_the_screened_potential() -> None:
    """g = K'(r) / r far from the core, K = -K_0(k r) / (2 pi) and -exp(-k r) / (4 pi r)."""
    potentials = {
        2: lambda r, k: -float(k0(k * r)) / (2 * math.pi),
        3: lambda r, k: -math.exp(-k * r) / (4 * math.pi * r),
    }
    for dim, potential in potentials.items():
        g = getattr(Screened, f"g{dim}d")
        for r in np.geomspace(0.05, 4.0, 20):
            h, k = 2e-3 * r, 1.5
            slope = sum(w * potential(r + s * h, k) for s, w in ((-2, 1), (-1, -8), (1, 8), (2, -1))) / (12 * h)
            assert g(r * r, 0.0, k) == pytest.approx(slope / r, rel=1e-8)


@pytest.mark.parametrize("dim", [2, 3])
def test_without_decay_it_is_the_blob(dim: int) -> None:
    screened, blob = getattr(Screened, f"g{dim}d"), getattr(Blob, f"g{dim}d")
    for r2 in np.geomspace(1e-10, 100.0, 40):
        assert screened(float(r2), DELTA2, 0.0) == pytest.approx(blob(float(r2), DELTA2), rel=1e-15)
        # first order in (k r)^2 log(k r) in 2D and (k r)^2 in 3D
        k = 1e-5 / math.sqrt(r2)
        assert screened(float(r2), DELTA2, k) == pytest.approx(blob(float(r2), DELTA2), rel=2e-9)


@pytest.mark.parametrize(("dim", "k"), [(2, 0.5), (2, 25.0), (3, 0.5), (3, 25.0)])
def test_the_drift_is_that_of_brute_force(dim: int, k: float) -> None:
    x = Ball().draw(400, dim, seed=2).astype(np.float64)
    force = DirectCPU(Screened, (DELTA2, k), dim, "float64")(x)
    d = x[None] - x[:, None]
    r = np.sqrt((d * d).sum(-1))
    np.fill_diagonal(r, 1.0)
    true = k * k1(k * r) / (2 * np.pi * r) if dim == 2 else (1 + k * r) * np.exp(-k * r) / (4 * np.pi * r**3)
    exact = (((true * r**2 / (r**2 + DELTA2))[..., None]) * d).sum(1)
    np.testing.assert_allclose(force, exact, rtol=0, atol=1e-12 * np.abs(exact).max())


def test_a_sample_of_arrays() -> None:
    r2 = np.geomspace(1e-8, 100.0, 300)
    exact = np.sqrt(r2) * 3 * k1(3 * np.sqrt(r2)) / (2 * np.pi * (r2 + DELTA2))
    np.testing.assert_allclose(array_function(Screened, 2)(r2, DELTA2, 3.0), exact, rtol=1e-14)


def test_a_negative_k_is_refused() -> None:
    with pytest.raises(ValidationError, match="greater than or equal to 0"):
        Screened.Params(k=-1.0)
