"""Laws of SOAP: Adam where its bases are the identity, and equivariant under a rotation of every layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ksdp_cli.learning.network.network import Network
from ksdp_cli.learning.optimisers import adam, soap
from ksdp_cli.learning.optimisers.base import OPTIMISERS, Optimiser

NETWORK, SIZE, STEPS = Network(2, 1), 1e-2, 25


def orthogonal(generator: np.random.Generator, n: int) -> NDArray[np.float64]:
    return np.linalg.qr(generator.standard_normal((n, n)))[0]


def matrices(theta: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """(outputs, inputs + 1) of each layer, the bias last."""
    return [np.concatenate([weight, bias[:, None]], 1) for weight, bias in NETWORK.layers(theta)]


def flat(layers: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.concatenate([part for m in layers for part in (m[:, :-1].ravel(), m[:, -1])])


def begun(kind: str, bases: dict[str, NDArray[np.float64]]) -> Optimiser:
    """SOAP on float64 zeros, its factors and bases as given, by the names of its state."""
    zeros = np.zeros(NETWORK.parameter_count)
    made = OPTIMISERS["soap"](NETWORK, zeros if kind == "array" else torch.from_numpy(zeros))
    for name, part in made.state().items():
        if name in bases:
            part[:] = bases[name] if kind == "array" else torch.from_numpy(bases[name])
    return made


def walked(kind: str, own: Optimiser, gradients: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Weights after a step for each gradient, from 0, numbered from 1."""
    theta = np.zeros(NETWORK.parameter_count)
    there = theta if kind == "array" else torch.from_numpy(theta)
    for step, gradient in enumerate(gradients, 1):
        own.update(there, gradient if kind == "array" else torch.from_numpy(gradient), step, SIZE)
    return theta


@pytest.fixture
def gradients() -> list[NDArray[np.float64]]:
    return list(np.random.default_rng(0).standard_normal((STEPS, NETWORK.parameter_count)))


@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_with_identity_bases_it_is_adam(
    kind: str, gradients: list[NDArray[np.float64]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BETA1", "BETA2", "EPSILON"):
        monkeypatch.setattr(adam, name, getattr(soap, name))
    identity = {}
    for i, m in enumerate(matrices(gradients[0])):
        identity |= {f"turn_left{i}": np.eye(len(m)), f"turn_right{i}": np.eye(m.shape[1])}
    few = gradients[: soap.TURN - 1]  # the bases stay
    theta = np.zeros(NETWORK.parameter_count)
    peer = adam.Adam(theta)
    for step, gradient in enumerate(few):
        peer.update(theta, gradient, step, SIZE)
    np.testing.assert_allclose(walked(kind, begun(kind, identity), few), theta, rtol=1e-9, atol=1e-12)
    assert np.abs(theta).min() > 0


@pytest.mark.parametrize("kind", ["array", "tensor"])
def test_a_rotation_of_every_layer_rotates_the_steps(kind: str, gradients: list[NDArray[np.float64]]) -> None:
    """G -> U G V^T, and so the factors, over two renewals of the bases; Adam has no such law."""
    generator = np.random.default_rng(1)
    shapes = [m.shape for m in matrices(gradients[0])]
    turns = [(orthogonal(generator, a), orthogonal(generator, b)) for a, b in shapes]

    def rotated(theta: NDArray[np.float64]) -> NDArray[np.float64]:
        return flat([u @ m @ v.T for (u, v), m in zip(turns, matrices(theta), strict=True)])

    home, away = {}, {}
    for i, (pair, shape) in enumerate(zip(turns, shapes, strict=True)):
        for side, turn, n in zip(("left", "right"), pair, shape, strict=True):
            basis = orthogonal(generator, n)
            factor = basis * np.arange(1.0, n + 1) @ basis.T
            home |= {f"{side}{i}": factor, f"turn_{side}{i}": basis}
            away |= {f"{side}{i}": turn @ factor @ turn.T, f"turn_{side}{i}": turn @ basis}
    expected = rotated(walked(kind, begun(kind, home), gradients))
    found = walked(kind, begun(kind, away), [rotated(g) for g in gradients])
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-9)

    def adams(given: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return walked("array", OPTIMISERS["adam"](NETWORK, np.zeros(NETWORK.parameter_count)), given)

    without = rotated(adams(gradients))
    assert np.linalg.norm(adams([rotated(g) for g in gradients]) - without) > 0.2 * np.linalg.norm(without)
