"""SOAP: Adam in the eigenbases of Shampoo's two factors, for each layer.

For a gradient G (outputs, inputs + 1) of a layer's weights and bias, L and R are running averages of G G^T and G^T G.
Every `TURN` steps one step of orthogonal iteration updates their eigenvectors. Vyas et al., SOAP: improving and
stabilizing Shampoo using Adam, ICLR 2025. The factors have at most 31 rows, so a step costs a few per cent of a
gradient.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..network.network import Network

BETA1, BETA2, FACTOR, EPSILON = 0.95, 0.95, 0.95, 1e-10
#: Gradient steps between updates of the bases.
TURN = 10
KEPT = ("left", "right", "turn_left", "turn_right", "mean", "square")


class Soap:
    """SOAP with NumPy arrays in the dtype of theta. `SoapGPU` is the same on tensors."""

    def __init__(self, network: Network, theta: NDArray[np.floating]) -> None:
        self.network = network
        self.layers = [_fresh(matrix) for matrix in self._matrices(theta)]

    def update(self, theta: NDArray[np.floating], gradient: NDArray[np.floating], step: int, size: float) -> None:
        """Make step number ``step`` (from 0) of size ``size``, in place. Step 0 only initialises the factors."""
        if step == 0:
            self.initialise(gradient)
        else:
            self.move(theta, gradient, self.scalars(step, size))
        self.update_basis(step)

    @staticmethod
    def scalars(step: int, size: float) -> tuple[float, float, float]:
        """The numbers of step ``step`` > 0 for `move`: its size and the bias corrections of the moments."""
        return size, 1 / (1 - BETA1**step), 1 / (1 - BETA2**step)

    def initialise(self, gradient: NDArray[np.floating]) -> None:
        """Set the factors from a first gradient."""
        for g, layer in zip(self._matrices(gradient), self.layers, strict=True):
            layer["left"][:], layer["right"][:] = g @ g.T, g.T @ g

    def move(
        self,
        theta: NDArray[np.floating],
        gradient: NDArray[np.floating],
        scalars: Sequence[float] | NDArray[np.floating],
    ) -> None:
        """Change ``theta``, the moments and the factors in place."""
        gradients = self._matrices(gradient)
        for (weight, bias), g, layer in zip(self.network.layers(theta), gradients, self.layers, strict=True):
            change = scalars[0] * _direction(layer, g, scalars)
            weight -= change[:, :-1]
            bias -= change[:, -1]
            layer["left"] += (1 - FACTOR) * (g @ g.T - layer["left"])
            layer["right"] += (1 - FACTOR) * (g.T @ g - layer["right"])

    def update_basis(self, step: int) -> None:
        """Update the bases from the factors after every `TURN`-th step."""
        for layer in self.layers if step % TURN == 0 else []:
            for factor, turn in (("left", "turn_left"), ("right", "turn_right")):
                if step == 0:
                    layer[turn][:] = np.linalg.eigh(layer[factor])[1]
                else:
                    layer[turn][:] = np.linalg.qr(layer[factor] @ layer[turn])[0]

    def state(self) -> dict[str, object]:
        """The arrays on which the next step depends, by name; not copies."""
        return {f"{name}{i}": layer[name] for i, layer in enumerate(self.layers) for name in KEPT}

    def _matrices(self, flat: NDArray[np.floating]) -> list[NDArray[np.floating]]:
        return [np.concatenate([weight, bias[:, None]], 1) for weight, bias in self.network.layers(flat)]


def _fresh(matrix: NDArray[np.floating]) -> dict[str, NDArray[np.floating]]:
    left, right = (np.zeros_like(part) for part in (matrix @ matrix.T, matrix.T @ matrix))
    shapes = (left, right, left, right, matrix, matrix)
    return {name: np.zeros_like(part) for name, part in zip(KEPT, shapes, strict=True)}


def _direction(
    layer: dict[str, NDArray[np.floating]], g: NDArray[np.floating], scalars: Sequence[float] | NDArray[np.floating]
) -> NDArray[np.floating]:
    """Adam's step in the eigenbases, in the original coordinates."""
    layer["mean"] += (1 - BETA1) * (g - layer["mean"])
    rotated = layer["turn_left"].T @ g @ layer["turn_right"]
    layer["square"] += (1 - BETA2) * (rotated * rotated - layer["square"])
    mean = layer["turn_left"].T @ layer["mean"] @ layer["turn_right"] * scalars[1]
    spread = np.sqrt(layer["square"] * scalars[2]) + EPSILON
    return np.asarray(layer["turn_left"] @ (mean / spread) @ layer["turn_right"].T)
