"""Weak order of the time steps: 1 for Euler-Maruyama, 2 for stochastic Heun, without a random number.

In a linear problem a step is linear in position and noise, so unit impulses give the whole law. In a nonlinear one the
backward recursion u_n(x) = E u_(n+1)(step(x, xi)) is carried out with Gauss-Hermite nodes and trigonometric
interpolation, whose errors are 1e-12.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm

from ksdp_cli import plugins
from ksdp_cli.particles.schemes.base import Scheme

SCHEMES: dict[str, Scheme] = {entry.name: entry.load()() for entry in plugins.registry().of_kind("scheme")}


def test_every_scheme_is_tested_and_costs_what_it_says() -> None:
    assert {"euler", "heun"} <= set(SCHEMES)
    for scheme in SCHEMES.values():
        calls: list[float] = []

        def drift(x: np.ndarray, t: float, calls: list[float] = calls) -> np.ndarray:
            calls.append(t)
            return -x

        scheme.step(np.ones((3, 2)), 0.5, 0.1, drift, np.zeros((3, 2)))
        assert len(calls) == scheme.evaluations
        assert min(calls) == 0.5


def observed(errors: list[float]) -> float:
    """Order between the last two of errors at dt, dt/2, ..."""
    return math.log2(errors[-2] / errors[-1])


@pytest.mark.parametrize("rate", [3.0, -3.0])
@pytest.mark.parametrize("name", SCHEMES)
def test_linear_drift(name: str, rate: float) -> None:
    """dX = rate X dt + dW: E X^2 = exp(2 rate T) + (exp(2 rate T) - 1) / (2 rate) from X_0 = 1 or the stable well."""
    end = 0.5
    exact = math.exp(2 * rate * end) + (math.exp(2 * rate * end) - 1) / (2 * rate)
    errors = []
    for steps in (32, 64, 128):
        dt = end / steps
        x = np.zeros((steps + 1, 1))  # row k: what one unit of noise in step k becomes; the last row: X_0 = 1
        x[steps] = 1.0
        for k in range(steps):
            impulse = np.zeros_like(x)
            impulse[k] = math.sqrt(dt)
            x = SCHEMES[name].step(x, k * dt, dt, lambda y, _: rate * y, impulse)
        errors.append(abs(float((x**2).sum()) - exact))
    assert observed(errors) == pytest.approx(SCHEMES[name].order, abs=0.1)


def expectation(scheme: Scheme, steps: int, end: float, noise: float) -> np.ndarray:
    """E cos(X_T + 0.3) from X_0 on a grid of the circle, for dX = (2 sin X + cos 2X) dt + noise dW."""
    grid = 2 * np.pi * np.arange(64) / 64
    nodes, weights = np.polynomial.hermite_e.hermegauss(30)
    dt = end / steps
    kicks = noise * math.sqrt(dt) * nodes
    x = np.repeat(grid, nodes.size)
    moved = scheme.step(x, 0.0, dt, lambda y, _: 2 * np.sin(y) + np.cos(2 * y), np.tile(kicks, grid.size))
    waves = np.exp(1j * np.outer(moved, np.fft.fftfreq(64, 1 / 64)))
    step = ((waves @ np.fft.fft(np.eye(64), axis=0) / 64).real.reshape(64, -1, 64) * weights[:, None]).sum(1)
    return np.linalg.matrix_power(step / weights.sum(), steps) @ np.cos(grid + 0.3)


@pytest.mark.parametrize("name", SCHEMES)
def test_nonlinear_drift(name: str) -> None:
    """Against the Kolmogorov backward equation, solved by the exponential of its Fourier matrix."""
    end, noise, modes = 0.3, 0.8, 64
    grid = 2 * np.pi * np.arange(modes) / modes
    k = 1j * np.fft.fftfreq(modes, 1 / modes)
    k[modes // 2] = 0
    transform = np.fft.fft(np.eye(modes), axis=0)
    derivative = (np.linalg.inv(transform) @ (k[:, None] * transform)).real
    generator = (2 * np.sin(grid) + np.cos(2 * grid))[:, None] * derivative + noise**2 / 2 * derivative @ derivative
    exact = expm(end * generator) @ np.cos(grid + 0.3)
    errors = [float(np.abs(expectation(SCHEMES[name], steps, end, noise) - exact).max()) for steps in (8, 16, 32, 64)]
    assert observed(errors) == pytest.approx(SCHEMES[name].order, abs=0.12)
    assert errors[-1] < 0.01
