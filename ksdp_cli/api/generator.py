"""Generator: a model with its initial cloud. All generation of particles goes through it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from ..base import device as devices
from ..base.shapes import Cloud
from ..initial.points import Points
from ..learning.model import Model
from .clouds import of_model


class Generator:
    """Generates clouds f_theta(x; eta) of ``model`` on ``device``, from particles x of its initial cloud.

    Particle i of a seed is the same in every command and for every number of particles. ``initial`` is the
    law that the model names, or the particles in the model. Raises `ConfigError` and `DataError` if it is missing, and
    `ResourceError` for a device that cannot be used.
    """

    def __init__(self, model: Model, device: str = "cpu") -> None:
        self.model, self.device = model, devices.choose(device)
        self.initial = of_model(model)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters of the network."""
        return tuple(self.model.eta_map.names)

    def inputs(self, n: int, seed: int = 0, *, start: int = 0) -> Cloud:
        """Draw particles ``start`` to ``start + n`` of the initial cloud, (n, d) float32."""
        x: Cloud = self.initial.draw(n, self.model.dim, seed, start=start)
        return x

    def push(self, x: Cloud, at: Mapping[str, float]) -> NDArray[np.float32]:
        """Map the particles ``x`` (n, d) at the parameters ``at`` by name: (n, d) float32."""
        return self.model.push(x, self._point(at), device=self.device)

    def cloud(self, n: int, at: Mapping[str, float], seed: int = 0) -> NDArray[np.float32]:
        """Generate ``n`` particles at the parameters ``at``: `push` of `inputs`."""
        return self.push(self.inputs(n, seed), at)

    def warnings(self, n: int, *points: Mapping[str, float]) -> list[str]:
        """Return warnings: an initial cloud with fewer points than ``n``, ``points`` outside the trained range."""
        few = self.initial.doubts(n) if isinstance(self.initial, Points) else []
        outside = {f"{one}; the network extrapolates" for at in points for one in self.outside(at)}
        return [*few, *sorted(outside)]

    def outside(self, at: Mapping[str, float]) -> list[str]:
        """Return a sentence for each parameter outside the trained range."""
        return self.model.eta_map.outside(self._point(at))

    def _point(self, at: Mapping[str, float]) -> NDArray[np.floating]:
        return np.array([at[name] for name in self.names])
