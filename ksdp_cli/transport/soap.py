"""SOAP: Adam in the eigenbases of Shampoo's two factors, a layer at a time.

For a gradient G (outputs, inputs + 1) of a layer's weights and bias, L and R average G G^T and G^T G; their
eigenvectors follow by one step of orthogonal iteration now and then. Vyas et al., SOAP: improving and stabilizing
Shampoo using Adam, ICLR 2025. The factors have 31 rows at most, so a step costs a few per cent of a gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .network import Network, Weights

BETA1, BETA2, FACTOR, EPSILON = 0.95, 0.95, 0.95, 1e-10
#: Gradient steps between turns of the bases.
TURN = 10
KEPT = ("left", "right", "turn_left", "turn_right", "mean", "square")


class Soap:
    """Factors, bases and moments of every layer, float32."""

    def __init__(self, network: Network, theta: Weights) -> None:
        self.network = network
        self.layers = [_fresh(matrix) for matrix in self._matrices(np.zeros_like(theta))]

    def update(self, theta: Weights, gradient: Weights, step: int, size: float) -> None:
        """Change ``theta`` in place by step number ``step`` (from 0) of size ``size``; the first only looks."""
        gradients = self._matrices(gradient)
        for (weight, bias), g, own in zip(self.network.layers(theta), gradients, self.layers, strict=True):
            if step:
                change = np.float32(size) * _direction(own, g, step)
                weight -= change[:, :-1]
                bias -= change[:, -1]
            part = np.float32(1 - FACTOR) if step else np.float32(1)
            own["left"] += part * (g @ g.T - own["left"])
            own["right"] += part * (g.T @ g - own["right"])
            for factor, turn in (("left", "turn_left"), ("right", "turn_right")):
                if step == 0:
                    own[turn] = np.linalg.eigh(own[factor])[1]
                elif step % TURN == 0:
                    own[turn] = np.linalg.qr(own[factor] @ own[turn])[0]

    def arrays(self) -> dict[str, np.ndarray]:
        """All that the next step depends on."""
        return {f"{name}{i}": own[name].copy() for i, own in enumerate(self.layers) for name in KEPT}

    def restore(self, arrays: dict[str, np.ndarray]) -> None:
        self.layers = [{name: arrays[f"{name}{i}"].copy() for name in KEPT} for i in range(len(self.layers))]

    def _matrices(self, flat: Weights) -> list[Weights]:
        return [np.concatenate([weight, bias[:, None]], 1) for weight, bias in self.network.layers(flat)]


def _fresh(matrix: Weights) -> dict[str, Any]:
    outs, ins = matrix.shape
    left, right = np.zeros((outs, outs), np.float32), np.zeros((ins, ins), np.float32)
    return dict(zip(KEPT, (left, right, left.copy(), right.copy(), matrix.copy(), matrix.copy()), strict=True))


def _direction(own: dict[str, Any], g: Weights, step: int) -> Weights:
    """Adam's step in the turned coordinates, turned back."""
    own["mean"] += np.float32(1 - BETA1) * (g - own["mean"])
    turned = own["turn_left"].T @ g @ own["turn_right"]
    own["square"] += np.float32(1 - BETA2) * (turned * turned - own["square"])
    mean = own["turn_left"].T @ own["mean"] @ own["turn_right"] * np.float32(1 / (1 - BETA1**step))
    spread = np.sqrt(own["square"] * np.float32(1 / (1 - BETA2**step))) + np.float32(EPSILON)
    return own["turn_left"] @ (mean / spread) @ own["turn_right"].T
