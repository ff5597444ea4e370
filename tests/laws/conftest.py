"""Runs of equation (8) without a store: clouds at the times asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.simulation import Simulation

Evolve = Callable[..., list[np.ndarray]]


@pytest.fixture(scope="session")
def evolve() -> Evolve:
    """``evolve(snapshots=..., flow=..., ...)``: the clouds (case, J, d) in float64, one for each snapshot."""

    def run(**options: Any) -> list[np.ndarray]:
        simulation = Simulation(pose(options), "cpu")
        simulation.start()
        frames: list[np.ndarray] = []
        simulation.run(lambda _, clouds: frames.append(np.array(clouds, np.float64)), lambda _: None)
        return frames

    return run
