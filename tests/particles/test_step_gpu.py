"""Steps of the GPU without one: the programs through Triton's interpreter on CPU tensors.

The tests that need the interpreter run in a process of their own, since Triton looks for it when it is imported.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
import signal
import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ksdp_cli.base import rng
from ksdp_cli.base.arrays import namespace
from ksdp_cli.errors import NumericalError, ResourceError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.initial.stored import StoredCloud
from ksdp_cli.particles.intervals import Interval
from ksdp_cli.particles.problem import Problem, pose
from ksdp_cli.particles.simulation import Simulation
from ksdp_cli.plugin import Params

HERE = os.environ.get("TRITON_INTERPRET") == "1"
needs_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")
interpreted = pytest.mark.skipif(not HERE, reason="runs where Triton is interpreted")


@needs_triton
@pytest.mark.skipif(HERE, reason="this is the process")
def test_where_triton_is_interpreted() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", __file__],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 24


@pytest.fixture(autouse=True)
def few_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interpreter's time is that of its programs: larger blocks for the sum, smaller ones where two are wanted."""
    if HERE:
        from ksdp_cli.particles import gpu_step as step_gpu
        from ksdp_cli.particles.engines import direct_gpu

        large = {"TARGETS": 128, "SOURCES": 128, "UNROLL": 1}
        monkeypatch.setattr(direct_gpu, "launch", lambda dim, dtype: dict(large))
        monkeypatch.setattr(step_gpu, "BLOCK", 64)


class Growing:
    """v = rate t x: more than the cloud's width in a step from t = 1 / (rate dt) on."""

    dims = (2,)
    Params = Params
    rate = 0.0

    def __init__(self, params: Any, dim: int) -> None:
        self.params = params

    def velocity(self, x: Any, t: Any) -> Any:
        return self.rate * t * x


class Unread(Growing):
    """Time taken out of its tensor: neither a formula, nor a capture."""

    def velocity(self, x: Any, t: Any) -> Any:
        return math.sin(50 * float(t)) * x


class Seen(Growing):
    """Particles that see one another: no formula, but launches."""

    def velocity(self, x: Any, t: Any) -> Any:
        return namespace(x).cos(3.0 * x) * x.mean(0) - t * x


def through(problem: Problem, device: str, stop: int = 10**9) -> tuple[Simulation, list[Any]]:
    """A run, to the call after ``stop`` steps at most, and the steps that were done at each call."""
    simulation, calls = Simulation(problem, device), list[Any]()
    simulation.start()
    go_on(simulation, calls, stop)
    return simulation, calls


def go_on(simulation: Simulation, calls: list[Any], stop: int = 10**9) -> None:
    def after_step(done: int) -> None:
        calls.append(done)
        if done >= stop:
            raise StopIteration

    try:
        simulation.run(lambda k, frame: None, after_step)
    except StopIteration:
        simulation.snapshot()


def positions(simulation: Simulation) -> Any:
    return np.array([run.state.x for run in simulation.runs])


def put(simulation: Simulation, other: Simulation) -> None:
    """Go on from the states of another."""
    for run, before in zip(simulation.runs, other.runs, strict=True):
        run.restore(replace(before.state))


def posed(**options: Any) -> Problem:
    return pose({"J": 100, "seed": 3, "dt": 1e-3, "T": 8e-3, "flow": "none"} | options)


@interpreted
@pytest.mark.parametrize(
    "options",
    [
        {"flow": "laminar2d", "A": 10, "T": 8e-3, "J": 130},
        {"flow": "kolmogorov", "A": 10, "scheme": "heun"},
        {"flow": "hyperbolic", "dim": 3, "dtype": "float64", "snapshots": (2.5e-3, 4e-3)},
        {"J": 300, "T": 2e-3, "kernel": "eq7"},
        {"engine": "tree", "T": 1e-3},
    ],
    ids=str,
)
def test_positions_are_those_of_the_cpu(options: dict[str, Any]) -> None:
    """The same Brownian path, so that only rounding, and the noise's in float64, is between them."""
    problem = posed(**options)
    there, calls = through(problem, "cuda")
    here, _ = through(problem, "cpu")
    assert calls[-1] == there.steps
    assert len(calls) < 6
    assert there.runs[0].engine.name == options.get("engine", "direct")
    assert np.abs(positions(there) - positions(here)).max() < 1e-5
    assert there.max_kernel_displacement()[0] == pytest.approx(here.max_kernel_displacement()[0], rel=1e-3)
    told = there.runs[0].stepper.report()
    assert told["captured"] is False
    assert told["why"] == "no GPU"
    assert "flow" not in told


@interpreted
def test_neither_blocks_nor_replays_change_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of 1, 3 and 8 steps; and the same queue of launches taken for a graph, from its second time."""
    from ksdp_cli.particles import gpu_step as step_gpu

    problem, found = posed(flow="laminar2d", A=10, T=8e-3, J=70), []
    for block in (1, 3, 8):
        monkeypatch.setattr(step_gpu, "STEPS", block)
        found.append(positions(through(problem, "cuda")[0]))
    monkeypatch.setattr(step_gpu, "STEPS", 2)
    monkeypatch.setattr(step_gpu.StepsGPU, "_no_capture", lambda self: None)
    monkeypatch.setattr(step_gpu, "record", lambda body: body)
    replayed, _ = through(problem, "cuda")
    assert replayed.runs[0].stepper.report()["captured"]
    assert all((x == found[0]).all() for x in [*found, positions(replayed)])


@interpreted
def test_seeds_side_by_side_have_the_bits_of_each_alone() -> None:
    options: dict[str, Any] = {"flow": "laminar2d", "A": [1.0, 20.0], "T": 3e-3, "J": 70}
    whole = positions(through(posed(**options, seed=[3, 4]), "cuda")[0])  # cases: A slow, the seed fast
    alone = [positions(through(posed(**options, seed=seed), "cuda")[0]) for seed in (3, 4)]
    assert (whole[::2] == alone[0]).all()
    assert (whole[1::2] == alone[1]).all()


@interpreted
def test_cases_side_by_side_are_those_in_turn_and_resume_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    from ksdp_cli.particles import gpu_step as step_gpu

    sweep = posed(flow="laminar2d", A=[1.0, 20.0], delta2=[1e-3, 1e-2], T=5e-3, snapshots=(2e-3, 5e-3), J=70)
    whole, calls = through(sweep, "cuda")
    assert calls == [8, 20]
    monkeypatch.setattr(step_gpu, "STEPS", 2)
    stopped, calls = through(sweep, "cuda", stop=16)
    assert calls == [8, 16]
    assert [(run.state.k, run.state.step) for run in stopped.runs] == [(1, 2)] * 4
    again = Simulation(sweep, "cuda")
    put(again, stopped)
    assert again.done() == 16
    go_on(again, [])
    assert (positions(again) == positions(whole)).all()
    monkeypatch.setattr(step_gpu.StepsGPU, "fits", lambda config, cases: False)
    turn = Simulation(sweep, "cuda")
    put(turn, stopped)
    calls = []
    go_on(turn, calls)
    assert calls == [17, 18, 19, 20]
    assert (positions(turn) == positions(whole)).all()


@interpreted
def test_a_run_that_is_stopped_between_two_queues_goes_on_to_the_bit(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through the store and the checkpoint, with the steps that were done in what is told."""
    import ksdp_cli as ksdp
    from ksdp_cli.base import device
    from ksdp_cli.errors import Interrupted
    from ksdp_cli.particles import gpu_step as step_gpu

    monkeypatch.setattr(device, "choose", lambda asked: asked)
    monkeypatch.setattr(device, "describe", lambda asked: "Triton's interpreter")
    monkeypatch.setattr(step_gpu, "STEPS", 2)
    options = {"J": 70, "dt": 1e-3, "T": 5e-3, "flow": "laminar2d", "A": [1.0, 20.0], "device": "cuda"}
    whole = ksdp.simulate(out=tmp_path / "whole.zarr", **options)
    asked = iter((None, signal.SIGTERM))
    with pytest.raises(Interrupted, match="step 8 of 10"):
        ksdp.simulate(out=tmp_path / "a.zarr", stop=lambda: next(asked), **options)
    told: list[str] = []
    done = ksdp.simulate(out=tmp_path / "a.zarr", resume=True, tell=told.append, **options)
    assert told[0].startswith("2 steps of 70 particles in 2 cases, direct engine on Triton's interpreter")
    for case in (0, 1):
        assert done.frame(case).tobytes() == whole.frame(case).tobytes()


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


@interpreted
@pytest.mark.parametrize(("scheme", "launches"), [("euler", 2), ("heun", 4)])
def test_launches_and_waits_of_a_step(scheme: str, launches: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs of Triton's, and operations of torch that launch something: the latter do not grow with the steps."""
    from torch.utils._python_dispatch import TorchDispatchMode

    from ksdp_cli.particles.gpu_step import StepsGPU

    class Counted(TorchDispatchMode):
        def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            if not re.search(r"empty|view|select|slice|alias|detach|expand|transpose|lift", str(function)):
                seen.append(str(function))
            return function(*args, **(kwargs or {}))

    class Program:
        def __init__(self, real: Any) -> None:
            self.real = real

        def __getitem__(self, grid: Any) -> Any:
            seen.append("program")
            return lambda *args, **kwargs: None

    problem = posed(flow="kolmogorov", scheme=scheme)
    simulation = Simulation(problem, "cuda")
    steps = StepsGPU(problem.config, [run.stepper for run in simulation.runs])
    steps.program = Program(steps.program)
    monkeypatch.setattr(steps.engine, "pair_sum", Program(steps.engine.pair_sum))  # type: ignore[attr-defined]
    queued = {}
    for count in (1, 20):
        seen: list[str] = []
        steps._set_clock(0, 0.0, problem.config.dt)
        with Counted():
            steps._launch(count, False)
        queued[count] = seen
    assert queued[20].count("program") == 20 * launches
    assert [name for name in queued[20] if name != "program"] == ["aten.copy_.default", "aten.amax.out"]
    assert [name for name in queued[1] if name != "program"] == ["aten.copy_.default", "aten.amax.out"]


def test_steps_that_are_alike() -> None:
    part = Interval(0, 0.5, 4.25, 0, 1e-3)
    assert [part.alike(index) for index in range(part.count)] == [1, 3, 2, 1, 1]
    assert Interval(0, 0.0, 3.0, 0, 1e-3).alike(0) == 3
    assert [Interval(0, 0.25, 0.5, 0, 1e-3).alike(0)] == [1]


@needs_triton
def test_what_a_card_lacks_is_told_in_one_line() -> None:
    import torch
    from triton.runtime.errors import OutOfResources

    from ksdp_cli.base.cuda_graph import device_faults

    for error in (torch.OutOfMemoryError("CUDA out of memory.\nTried"), OutOfResources(300, 228, "shared memory")):
        with pytest.raises(ResourceError, match="memory") as told, device_faults():
            raise error
        assert "\n" not in str(told.value)
