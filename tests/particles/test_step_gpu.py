"""Steps of the GPU without one: the programs through Triton's interpreter on CPU tensors.

The tests that need the interpreter, here and of a step's clock, run in one process of their own, since Triton looks for
it when it is imported.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ksdp_cli.errors import ResourceError
from ksdp_cli.particles.intervals import Interval
from ksdp_cli.particles.simulation import Simulation

from .interpreted import HERE, few_programs, go_on, interpreted, needs_triton, posed, positions, put, through

FILES = (__file__, str(Path(__file__).with_name("test_step_gpu_clock.py")))
__all__ = ["few_programs"]


@needs_triton
@pytest.mark.skipif(HERE, reason="this is the process")
def test_where_triton_is_interpreted() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *FILES],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    passed = re.search(r"(\d+) passed", done.stdout)
    assert passed is not None
    assert int(passed[1]) >= 24


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
