"""Equation (6) as a law of its own: against the radial problem, and None wherever it does not hold."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ksdp_cli import reference
from ksdp_cli.config import SimulateConfig
from ksdp_cli.exact.critical import slope
from ksdp_cli.exact.second_moment import SecondMomentLaw, second_moment_law


@pytest.mark.parametrize("M", [8 * np.pi, 16 * np.pi])
@pytest.mark.parametrize("t", [0.02, 0.05])
def test_law_6_is_the_second_moment_of_the_radial_problem(M: float, t: float) -> None:
    law = second_moment_law(SimulateConfig(M=(M,)), J=10**12, start=0.5)
    assert law is not None
    assert law(t) == pytest.approx(reference.radial(t, mu=1.0, chi=1.0, M=M).second_moment(t), rel=1e-5)


def test_one_particle_feels_no_attraction() -> None:
    assert slope(mu=2.0, chi=1.0, M=50.0, J=1) == 8.0


def test_law_6_ends_at_zero() -> None:
    law = SecondMomentLaw(0.5, -2.0, t0=1.0)
    assert law(law.end(9.0)) == 0.0
    assert law.end(1.1) == 1.1
    assert SecondMomentLaw(0.5, 2.0).end(9.0) == 9.0


@pytest.mark.parametrize(
    "changes",
    [{"dim": 3}, {"flow": "ksdp:laminar2d"}, {"kernel": "ksdp-screened-kernel:screened"}, {}, {"mu": (1.0, 2.0)}],
)
def test_law_6_is_none_where_it_does_not_hold(changes: dict[str, Any]) -> None:
    """In space, with a flow, a decaying attraction, an unknown start, a parameter without a value."""
    start = 0.5 if changes else None
    assert second_moment_law(SimulateConfig(**changes), J=100, start=start) is None


def test_a_case_and_a_known_start_complete_it() -> None:
    simulation = SimulateConfig(mu=(1.0, 2.0), init="start.zarr", t0=0.5, J=100)
    law = second_moment_law(simulation, 100, {"mu": 2.0}, start=0.3)
    assert law == SecondMomentLaw(0.3, slope(mu=2.0, chi=1.0, M=16 * np.pi, J=100), 0.5)
