"""A step of the GPU without one: the body that a graph captures, through Triton's interpreter on CPU tensors."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

INTERPRETED = """
import numpy as np, torch
from ksdp_cli.particles import mover as movers
from ksdp_cli.particles.direct_gpu import DirectGPU
from ksdp_cli.particles.engines import make_engine
from ksdp_cli.particles.problem import pose
from ksdp_cli.particles.schemes import SCHEMES
for flow, scheme in (("laminar2d", "euler"), ("kolmogorov", "heun")):
    problem = pose({"flow": flow, "A": 10, "J": 200, "seed": 3, "dt": 1e-3})
    c, case = problem.config, problem.cases[0]
    x = problem.initial.draw(c.J, c.dim, c.seed)
    here = make_engine(problem.kernel, case.kernel_args, c.dim, c.dtype, c.J, name="direct")
    cpu = movers.Mover(c, case, 0, here, "cpu")
    gpu = movers.Mover(c, case, 0, DirectGPU(problem.kernel, case.kernel_args, c.dim, c.dtype), "cuda")
    a, b = x, torch.from_numpy(x.copy())
    for step in range(4):
        a = cpu.step(SCHEMES[scheme], a, step * c.dt, c.dt, step)
        before = b
        b = gpu.step(SCHEMES[scheme], b, step * c.dt, c.dt, step)
        assert b is not before and not torch.equal(b, before)
    assert gpu.captured
    error = np.abs(a - b.numpy()).max()
    assert error < 2e-5, (flow, error)
    assert abs(cpu.pull() - gpu.pull()) < 1e-3 * cpu.pull()
"""


@pytest.mark.interpreter
def test_the_captured_body_moves_particles_as_the_cpu_does() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
