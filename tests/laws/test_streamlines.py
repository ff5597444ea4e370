"""Flow alone: particles follow the streamlines of (19) to (21) and of the hyperbolic flow; all are divergence-free."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from ksdp_cli.flows.hyperbolic import Hyperbolic
from ksdp_cli.flows.kolmogorov import Kolmogorov
from ksdp_cli.flows.laminar import Laminar2D, Laminar3D
from ksdp_cli.flows.none import NoFlow
from ksdp_cli.plugin import namespace

FLOWS = [(Laminar2D, 2), (Laminar3D, 3), (Kolmogorov, 3), (Hyperbolic, 2), (Hyperbolic, 3), (NoFlow, 2), (NoFlow, 3)]
NAMES = [f"{flow.__name__}-{dim}d" for flow, dim in FLOWS]
ORDER = {"euler": 1, "heun": 2}


def made(flow, dim: int, A: float):
    values = {"A": A} if "A" in flow.Params.model_fields else {}
    return flow(flow.Params(**values), dim)


def still(evolve, flow: str, **options) -> tuple[np.ndarray, np.ndarray]:
    """First and last cloud without attraction and noise."""
    frames = evolve(flow=flow, M=0, mu=0, J=200, dtype="float64", **options)
    return frames[0][0], frames[-1][0]


@pytest.mark.parametrize("scheme", ORDER)
@pytest.mark.parametrize(("flow", "dim"), [("kolmogorov", 3), ("hyperbolic", 2), ("hyperbolic", 3)])
def test_streamlines_with_the_order_of_the_scheme(evolve, flow: str, dim: int, scheme: str) -> None:
    """Against an eighth-order solution to 1e-11; the error falls with dt as the order says."""
    A, end = 20.0, 0.05
    cls = {"kolmogorov": Kolmogorov, "hyperbolic": Hyperbolic}[flow]
    field = made(cls, dim, A)
    errors = []
    for steps in (100, 200, 400):
        start, last = still(evolve, flow, dim=dim, A=A, scheme=scheme, dt=end / steps, snapshots=(0.0, end))
        exact = solve_ivp(
            lambda t, x: field.velocity(x.reshape(-1, dim), t).ravel(),
            (0, end),
            start.ravel(),
            "DOP853",
            rtol=1e-12,
            atol=1e-12,
        )
        errors.append(np.abs(last.ravel() - exact.y[:, -1]).max())
    orders = [math.log2(a / b) for a, b in itertools.pairwise(errors)]
    assert orders[-1] == pytest.approx(ORDER[scheme], abs=0.1)
    assert errors[-1] < (0.1 if scheme == "euler" else 2e-3)


@pytest.mark.parametrize("scheme", ORDER)
@pytest.mark.parametrize(("flow", "dim"), [("laminar2d", 2), ("laminar3d", 3)])
def test_laminar_flows_move_on_straight_lines(evolve, flow: str, dim: int, scheme: str) -> None:
    """x + A t exp(-|x_|^2): the speed is constant on a streamline, so that every scheme is exact."""
    start, last = still(evolve, flow, dim=dim, A=100.0, scheme=scheme, dt=1e-3, snapshots=(0.0, 0.02))
    exact = start.copy()
    exact[:, 0] += 100.0 * 0.02 * np.exp(-(start[:, 1:] ** 2).sum(1))
    np.testing.assert_allclose(last, exact, atol=1e-12)


def test_no_flow_is_no_motion(evolve) -> None:
    start, last = still(evolve, "none", snapshots=(0.0, 0.01))
    assert np.array_equal(start, last)


@pytest.mark.parametrize(("flow", "dim"), FLOWS, ids=NAMES)
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_divergence_is_zero(flow, dim: int, library: str) -> None:
    """By central differences of step h in float64: truncation h^2 |v'''| / 6, rounding 1e-16 |v| / h."""
    A, h = 100.0, 1e-4
    x = np.random.default_rng(0).uniform(-1.5, 1.5, (500, dim))
    if library == "torch":
        torch = pytest.importorskip("torch")
        x = torch.from_numpy(x)
    field = made(flow, dim, A)
    divergence = 0.0
    for axis in range(dim):
        ahead, behind = namespace(x).stack([x, x])
        ahead[:, axis] += h
        behind[:, axis] -= h
        divergence = divergence + (field.velocity(ahead, 0.0) - field.velocity(behind, 0.0))[:, axis] / (2 * h)
    assert float(abs(divergence).max()) < 1e-8 * A
    assert field.velocity(x, 0.0).shape == x.shape


def test_the_formulas_of_the_paper() -> None:
    x = np.array([[0.1, 0.2, 0.3], [-0.4, 0.5, 0.0]])
    s = np.sin(2 * np.pi * x)
    np.testing.assert_allclose(made(Kolmogorov, 3, 7.0).velocity(x, 0.0), 7 * np.stack([s[:, 2], s[:, 0], s[:, 1]], 1))
    zero = np.zeros(2)
    plane = np.stack([7 * np.exp(-(x[:, 1] ** 2)), zero], 1)
    np.testing.assert_allclose(made(Laminar2D, 2, 7.0).velocity(x[:, :2], 0.0), plane)
    space = np.stack([7 * np.exp(-(x[:, 1] ** 2) - x[:, 2] ** 2), zero, zero], 1)
    np.testing.assert_allclose(made(Laminar3D, 3, 7.0).velocity(x, 0.0), space)
    np.testing.assert_allclose(made(Hyperbolic, 3, 7.0).velocity(x, 0.0), 7 * x * [1, -0.5, -0.5])
