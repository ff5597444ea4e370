"""Times of the GPU's steps: blow-ups, flows that know t, runs from t0, collapses. `test_step_gpu` runs these tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ksdp_cli.base import rng
from ksdp_cli.errors import NumericalError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.initial.stored import StoredCloud
from ksdp_cli.particles.simulation import Simulation

from .interpreted import Growing, Seen, Unread, few_programs, interpreted, posed, positions, through

__all__ = ["few_programs"]


@interpreted
def test_a_blow_up_is_told_with_its_step_and_the_last_good_cloud_stays() -> None:
    problem = posed(flow=Growing, T=20e-3, mu=1e-3)
    problem.cases[0].flow.rate = 1 / (5.5e-3 * 1e-3)
    ends = []
    for device in ("cpu", "cuda"):
        simulation = Simulation(problem, device)
        simulation.start()
        with pytest.raises(NumericalError, match=r"t = 0\.006") as error:
            simulation.run(lambda k, frame: None, lambda done: None)
        moving = simulation.moving
        ends.append((error.value.message, simulation.snapshot()[0], moving.time(), moving.case.number))
    (here, state, time, case), (there, same, also, index) = ends
    assert here == there
    assert state.step == same.step == 6
    assert "flow" not in simulation.runs[0].stepper.report()
    assert (time, case) == (also, index)
    assert np.abs(state.x - same.x).max() < 1e-5 * np.abs(state.x).max()


@interpreted
def test_a_blow_up_in_one_case_of_several() -> None:
    problem = posed(flow="hyperbolic", dim=2, A=[1.0, 3000.0], T=5e-3)
    simulation = Simulation(problem, "cuda")
    simulation.start()
    with pytest.raises(NumericalError, match="at A = 3000"):
        simulation.run(lambda k, frame: None, lambda done: None)
    assert simulation.moving.case.number == 1


@interpreted
@pytest.mark.parametrize(("flow", "why"), [(Unread, "takes a value out"), (Seen, "wrong by")])
def test_a_flow_without_a_formula_is_called_as_it_is(flow: Any, why: str) -> None:
    problem = posed(flow=flow, scheme="heun", T=4e-3, snapshots=(2.5e-3, 4e-3))
    there, _ = through(problem, "cuda")
    here, _ = through(problem, "cpu")
    assert np.abs(positions(there) - positions(here)).max() < 1e-5
    assert why in there.runs[0].stepper.report()["flow"]


def from_a_store(width: float = 1.0, J: int = 100) -> StoredCloud:
    cloud = np.float32(width) * Ball().draw(J, 2, 5)
    return StoredCloud("a.zarr", J, 2, lambda: cloud, t=0.5)


@interpreted
@pytest.mark.parametrize(("flow", "scheme"), [(Growing, "euler"), (Growing, "heun"), (Unread, "heun"), (Seen, "heun")])
def test_time_runs_from_t0(flow: Any, scheme: str) -> None:
    """Read off the clock by a formula, from a tensor, and on the host; a run from 0 is elsewhere."""
    ends = []
    for t0, device in ((0.5, "cuda"), (0.5, "cpu"), (0.0, "cpu")):
        problem = posed(flow=flow, scheme=scheme, t0=t0, mu=0, J=70, T=2e-3, snapshots=(1.5e-3, 2e-3))
        problem.cases[0].flow.rate = 30.0
        simulation, _ = through(problem, device)
        assert simulation.moving.time() == t0 + 2e-3
        ends.append(positions(simulation))
    assert np.abs(ends[0] - ends[1]).max() < 1e-5
    assert np.abs(ends[0] - ends[2]).max() > 1e-4


@interpreted
def test_a_blow_up_is_told_with_the_time_from_t0_on() -> None:
    for device in ("cpu", "cuda"):
        problem = posed(flow=Growing, T=8e-3, mu=1e-3, t0=2e-3, J=70)
        problem.cases[0].flow.rate = 1 / (5.5e-3 * 1e-3)
        simulation = Simulation(problem, device)
        simulation.start()
        with pytest.raises(NumericalError, match=r"t = 0\.006"):
            simulation.run(lambda k, frame: None, lambda done: None)
        assert simulation.snapshot()[0].step == 4


@interpreted
def test_a_continued_cloud_draws_from_its_own_key() -> None:
    """Noise alone, by the 63 bits of the key; that of the seed would move the particles elsewhere."""
    problem = posed(init=from_a_store(), M=0)
    there, _ = through(problem, "cuda")
    here, _ = through(problem, "cpu")
    assert there.runs[0].stepper.key == here.runs[0].stepper.key > 2**32
    assert there.moving.time() == 0.508
    assert np.abs(positions(there) - positions(here)).max() < 1e-6
    before = problem.initial.frame
    moved = [np.sqrt(2e-3) * sum(rng.normals(key, rng.noise_stream(0), step, 0, 100, 2) for step in range(8))
             for key in (there.runs[0].stepper.key, 3)]  # fmt: skip
    assert np.abs(positions(there)[0] - before - moved[0]).max() < 1e-5
    assert np.abs(positions(there)[0] - before - moved[1]).max() > 0.1


@interpreted
@pytest.mark.parametrize(("queued", "looks", "seen"), [(1, 40, 1), (3, 2, 3)])
def test_a_collapse_is_seen_in_every_case_after_a_queue(
    queued: int, looks: int, seen: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cloud within delta, in 5 steps: it is looked at after the first queue that passes a step to look at."""
    from ksdp_cli.particles import collapse
    from ksdp_cli.particles import gpu_step as step_gpu

    monkeypatch.setattr(step_gpu, "STEPS", queued)
    monkeypatch.setattr(collapse, "LOOKS", looks)
    problem = posed(init=from_a_store(1e-3, 70), J=70, M=[60.0, 90.0], mu=1e-2, delta2=0.1, T=5e-3)
    times = {}
    for device in ("cuda", "cpu"):
        simulation, told = Simulation(problem, device), list[str]()
        simulation.start()
        simulation.run(lambda k, frame: None, lambda done: told.extend([simulation.look() or ""]))  # noqa: B023
        times[device] = [run.state.collapsed for run in simulation.runs]
        assert "at M = 60 the cloud has collapsed" in "".join(told)
    assert times["cuda"] == pytest.approx([0.5 + seen * 1e-3] * 2)
    if queued == 1:
        assert times["cpu"] == times["cuda"]
