"""Each kernel is the derivative of its potential: g(r^2) = K'(r) / r, METHOD table of regularisations."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.special import erf, exp1

from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.coulomb import Coulomb
from ksdp_cli.kernels.eq7 import Eq7
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.kernels.plummer import Plummer

DELTA2 = 1e-3
DELTA = math.sqrt(DELTA2)
FULL = {2: 2 * math.pi, 3: 4 * math.pi}
#: 2 pi K (2D) and 4 pi K (3D) as functions of r.
POTENTIALS = {
    (Blob, 2): lambda r: 0.5 * math.log(r * r + DELTA2),
    (Blob, 3): lambda r: math.atan(r / DELTA) / DELTA,
    (Eq7, 2): lambda r: math.log(r) * r * r / (r * r + DELTA2),
    (Eq7, 3): lambda r: -r / (r * r + DELTA2),
    (Plummer, 2): lambda r: 0.5 * math.log(r * r + DELTA2),
    (Plummer, 3): lambda r: -1 / math.sqrt(r * r + DELTA2),
    (Gaussian, 2): lambda r: math.log(r) + 0.5 * float(exp1(r * r / DELTA2)),
    (Gaussian, 3): lambda r: -float(erf(r / DELTA)) / r,
    (Coulomb, 2): math.log,
    (Coulomb, 3): lambda r: -1 / r,
}
NAMES = [f"{kernel.__name__}-{dim}d" for kernel, dim in POTENTIALS]


def slope(f, r: float) -> float:
    """f'(r) by a central difference of fourth order."""
    h = 2e-3 * r
    return (f(r - 2 * h) - 8 * f(r - h) + 8 * f(r + h) - f(r + 2 * h)) / (12 * h)


@pytest.mark.parametrize(("kernel", "dim"), POTENTIALS, ids=NAMES)
def test_kernel_is_the_derivative_of_its_potential(kernel, dim: int) -> None:
    potential = POTENTIALS[kernel, dim]
    g = getattr(kernel, f"g{dim}d")
    for r in np.geomspace(0.3 * DELTA, 2.0, 25):
        expected = slope(potential, float(r)) / r / FULL[dim]
        scale = 1 / (FULL[dim] * (r * r + DELTA2) ** (dim / 2))  # eq7 passes through zero
        assert abs(g(float(r * r), DELTA2) - expected) < 1e-7 * scale, r


@pytest.mark.parametrize(("kernel", "dim"), POTENTIALS, ids=NAMES)
def test_every_kernel_is_the_true_force_far_away(kernel, dim: int) -> None:
    g = getattr(kernel, f"g{dim}d")
    r2 = 1e4
    assert g(r2, DELTA2) * FULL[dim] * r2 ** (dim / 2) == pytest.approx(1, rel=2e-6)


@pytest.mark.parametrize("dim", [2, 3])
def test_the_gaussian_series_meets_the_closed_form(dim: int) -> None:
    g = getattr(Gaussian, f"g{dim}d")
    switch = (0.1 if dim == 2 else 0.3) * DELTA2
    below, above = g(switch * (1 - 1e-12), DELTA2), g(switch * (1 + 1e-12), DELTA2)
    assert below == pytest.approx(above, rel=3e-7)  # the first term that the series leaves out, at the switch
    centre = 1 / (2 * math.pi * DELTA2) if dim == 2 else 1 / (3 * math.pi**1.5 * DELTA**3)  # the blob's density / d
    assert g(1e-24, DELTA2) == pytest.approx(centre, rel=1e-12)


def test_short_range_of_the_two_readings_of_equation_7() -> None:
    """METHOD: 91 % and 53 % of the true force at r = 0.1 in 2D; the literal one repels below about 2 delta."""
    true = Coulomb.g2d(0.01, 0.0)
    assert Blob.g2d(0.01, DELTA2) / true == pytest.approx(0.91, abs=0.005)
    assert Eq7.g2d(0.01, DELTA2) / true == pytest.approx(0.53, abs=0.005)
    assert Eq7.g2d((1.5 * DELTA) ** 2, DELTA2) < 0
    assert Eq7.g3d((0.9 * DELTA) ** 2, DELTA2) < 0 < Eq7.g3d((1.1 * DELTA) ** 2, DELTA2)
