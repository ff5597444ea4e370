"""A training problem with a known answer: clouds that are affine images of the initial one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.data import TrainingData
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.network import Network


@pytest.fixture
def affine_data() -> Callable[..., TrainingData]:
    """``affine_data(sets, J, dim)``: (1 - eta / 2) x + eta e_1 for eta = 0 ... 1 and fresh x of the ball."""

    def make(sets: int = 3, J: int = 600, dim: int = 2) -> TrainingData:
        eta = np.linspace(0, 1, sets)[:, None]
        shift = np.eye(dim)[0]
        clouds = [(1 - e / 2) * Ball().draw(J, dim, 99, stream=r) + e * shift for r, e in enumerate(eta[:, 0])]
        return TrainingData(
            np.stack(clouds).astype(np.float32), eta, ("A",), lambda n, stream: Ball().draw(n, dim, 7, stream=stream)
        )

    return make


@pytest.fixture
def model() -> Model:
    """An untrained network of (x, t, A) in 2D."""
    network = Network(2, 2)
    eta_map = EtaMap(("t", "A"), (0.0, 1.0), (0.1, 100.0), (False, True))
    return Model(
        network, network.initial(3), eta_map, {"steps": 5, "N": 10}, {"simulation": {"flow": "none", "T": 0.1}}
    )
