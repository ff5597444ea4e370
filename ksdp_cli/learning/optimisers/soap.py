"""SOAP: Adam in the eigenbases of Shampoo's two factors, a layer at a time.

For a gradient G (outputs, inputs + 1) of a layer's weights and bias, L and R average G G^T and G^T G; their
eigenvectors follow by one step of orthogonal iteration now and then. Vyas et al., SOAP: improving and stabilizing
Shampoo using Adam, ICLR 2025. The factors have 31 rows at most, so a step costs a few per cent of a gradient.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ...base.arrays import Array
from ...base.files import JsonDict
from ..network.network import Network

BETA1, BETA2, FACTOR, EPSILON = 0.95, 0.95, 0.95, 1e-10
#: Gradient steps between turns of the bases.
TURN = 10
KEPT = ("left", "right", "turn_left", "turn_right", "mean", "square")


class Soap:
    """Factors, bases and moments of every layer: NumPy arrays of the type of theta. On tensors: `SoapGPU`."""

    def __init__(self, network: Network, theta: Array) -> None:
        self.network = network
        self.layers = [_fresh(matrix) for matrix in self._matrices(theta)]

    def update(self, theta: Array, gradient: Array, step: int, size: float) -> None:
        """Change ``theta`` in place by step number ``step`` (from 0) of size ``size``; the first only looks."""
        if step == 0:
            self.initialise(gradient)
        else:
            self.move(theta, gradient, self.scalars(step, size))
        self.update_basis(step)

    @staticmethod
    def scalars(step: int, size: float) -> tuple[float, float, float]:
        """What `move` needs to know of step number ``step`` > 0: its size, and by what the moments are unbiased."""
        return size, 1 / (1 - BETA1**step), 1 / (1 - BETA2**step)

    def initialise(self, gradient: Array) -> None:
        """The factors of a first gradient."""
        for g, own in zip(self._matrices(gradient), self.layers, strict=True):
            own["left"][:], own["right"][:] = g @ g.T, g.T @ g

    def move(self, theta: Array, gradient: Array, scalars: Array) -> None:
        """Change ``theta`` in place, and the moments and factors."""
        gradients = self._matrices(gradient)
        for (weight, bias), g, own in zip(self.network.layers(theta), gradients, self.layers, strict=True):
            change = scalars[0] * _direction(own, g, scalars)
            weight -= change[:, :-1]
            bias -= change[:, -1]
            own["left"] += (1 - FACTOR) * (g @ g.T - own["left"])
            own["right"] += (1 - FACTOR) * (g.T @ g - own["right"])

    def update_basis(self, step: int) -> None:
        """Bring the bases up to the factors, where that is due after step number ``step``."""
        for own in self.layers if step % TURN == 0 else []:
            for factor, turn in (("left", "turn_left"), ("right", "turn_right")):
                if step == 0:
                    own[turn][:] = np.linalg.eigh(own[factor])[1]
                else:
                    own[turn][:] = np.linalg.qr(own[factor] @ own[turn])[0]

    def state(self) -> JsonDict:
        """All that the next step depends on, by name; not copies."""
        return {f"{name}{i}": own[name] for i, own in enumerate(self.layers) for name in KEPT}

    def _matrices(self, flat: Array) -> list[NDArray[np.float32]]:
        return [np.concatenate([weight, bias[:, None]], 1) for weight, bias in self.network.layers(flat)]


def _fresh(matrix: Array) -> JsonDict:
    left, right = (np.zeros_like(part) for part in (matrix @ matrix.T, matrix.T @ matrix))
    shapes = (left, right, left, right, matrix, matrix)
    return {name: np.zeros_like(part) for name, part in zip(KEPT, shapes, strict=True)}


def _direction(own: JsonDict, g: Array, scalars: Array) -> Array:
    """Adam's step in the turned coordinates, turned back."""
    own["mean"] += (1 - BETA1) * (g - own["mean"])
    turned = own["turn_left"].T @ g @ own["turn_right"]
    own["square"] += (1 - BETA2) * (turned * turned - own["square"])
    mean = own["turn_left"].T @ own["mean"] @ own["turn_right"] * scalars[1]
    spread = np.sqrt(own["square"] * scalars[2]) + EPSILON
    return own["turn_left"] @ (mean / spread) @ own["turn_right"].T
