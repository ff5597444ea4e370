"""Runs of the GPU's steps by Triton's interpreter, flows that it cannot take as a formula, and what tests share."""

from __future__ import annotations

import importlib.util
import math
import os
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ksdp_cli.base.arrays import namespace
from ksdp_cli.particles.problem import Problem, pose
from ksdp_cli.particles.simulation import Simulation
from ksdp_cli.plugin import Params

HERE = os.environ.get("TRITON_INTERPRET") == "1"
needs_triton = pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")
interpreted = pytest.mark.skipif(not HERE, reason="runs where Triton is interpreted")


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
