"""A stranger's flow in other processes, which find it by its name."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ksdp_cli import open_run
from tests.plugins.conftest import Site

FLOW = """
from ksdp_cli.plugin import Component, Field, Params, hookimpl, namespace

@hookimpl
def ksdp_flows():
    return [Component("swirl", "swirls:Swirl", "a swirl")]

class Swirl:
    dims = (2,)

    class Params(Params):
        omega: float = Field(1.0, description="angular velocity [1 / time]")

    def __init__(self, params, dim):
        self.omega = params.omega

    def velocity(self, x, t):
        return self.omega * namespace(x).stack([-x[:, 1], x[:, 0]], 1)
"""
SWEEP = ("simulate", "--flow", "swirl", "--omega", "1,5", "--J", "60", "--T", "2e-3", "--dt", "1e-3")


@pytest.fixture
def site(make_site: Callable[[], Site]) -> Site:
    made = make_site()
    made.add("swirls", FLOW)
    return made


def simulate(site: Site, *options: str) -> list[np.ndarray]:
    done = site.ksdp(*SWEEP, *options)
    assert done.returncode == 0, done.stderr
    return frames(site.folder / Path(options[-1]))


def frames(path: Path) -> list[np.ndarray]:
    run = open_run(path)
    assert run.complete
    return [run.frame(case) for case in range(2)]


def test_printed_commands_run_a_plugin(site: Site) -> None:
    for line in site.ksdp(*SWEEP, "--print-commands", "-o", "b.zarr").stdout.splitlines():
        assert site.ksdp(*shlex.split(line)[1:]).returncode == 0
    assert np.array_equal(frames(site.folder / "b.zarr"), simulate(site, "-o", "a.zarr"))


@pytest.mark.slow
def test_workers_run_a_plugin(site: Site) -> None:
    assert np.array_equal(simulate(site, "--workers", "2", "-o", "b.zarr"), simulate(site, "-o", "a.zarr"))
