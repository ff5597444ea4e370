"""The flow keeps the contract, and is the one it says it is."""

from __future__ import annotations

import numpy as np
import pytest
from ksdp_abc_flow.flow import ABC, ABCParams

from ksdp_cli.testing import check_flow


@pytest.mark.parametrize("parameters", [None, {"A": 1.0, "B": 0.5, "C": -0.25, "wavenumber": 4.0}])
def test_it_keeps_the_contract(parameters: dict[str, float] | None) -> None:
    check_flow(ABC, parameters)


def test_it_is_parallel_to_its_curl() -> None:
    """Beltrami: curl v = k v, by central differences with an error of (k h)^2 / 6."""
    flow, h = ABC(ABCParams(A=1.0, B=0.7, C=0.4, wavenumber=2.0), 3), 1e-4
    x = np.random.default_rng(0).uniform(-3, 3, (50, 3))
    ahead, behind = ([flow.velocity(x + side * e, 0.0) for e in np.eye(3)] for side in (h, -h))
    slope = (np.stack(ahead) - np.stack(behind)) / (2 * h)  # slope[j, :, i] = dv_i / dx_j
    curl = np.stack([slope[j, :, k] - slope[k, :, j] for j, k in ((1, 2), (2, 0), (0, 1))], 1)
    np.testing.assert_allclose(curl, 2.0 * flow.velocity(x, 0.0), atol=1e-7)


def test_each_amplitude_moves_its_own_two_components() -> None:
    x = np.random.default_rng(1).uniform(-3, 3, (20, 3))
    for name, still in (("A", 2), ("B", 0), ("C", 1)):
        v = ABC(ABCParams(**({"A": 0.0, "B": 0.0, "C": 0.0} | {name: 1.0})), 3).velocity(x, 0.0)
        assert (v[:, still] == 0).all()
        assert np.allclose((v**2).sum(1), 1.0)
