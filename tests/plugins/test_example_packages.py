"""The packages in plugins/, installed as a stranger's would be and used through the command line."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ksdp_cli import open_run, simulate
from ksdp_cli.initial.ball import Ball

NEEDED = ("ksdp-abc-flow", "ksdp-screened-kernel")
INSTALLED = {point.dist.name for point in importlib.metadata.entry_points(group="ksdp") if point.dist}
pytestmark = pytest.mark.skipif(
    not set(NEEDED) <= INSTALLED, reason="pip install -e ./plugins/ksdp-abc-flow -e ./plugins/ksdp-screened-kernel"
)


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Any]) -> Any:
    return make_site()


def test_both_packages_are_listed(site: Any) -> None:
    listed = json.loads(site.ksdp("plugins", "--json").stdout)
    assert listed["failures"] == []
    found = {(one["name"], one["kind"], one["origin"], one["version"]) for one in listed["components"]}
    assert {("abc", "flow", NEEDED[0], "0.1.0"), ("screened", "kernel", NEEDED[1], "0.1.0")} <= found


def test_show_tells_parameters_with_units(site: Any) -> None:
    (screened,) = json.loads(site.ksdp("plugins", "show", "screened", "--json").stdout)["components"]
    assert screened["facts"] == {"dimensions": "2 and 3"}
    (k,) = screened["parameters"]
    assert (k["name"], k["default"]) == ("--k", 1.0)
    assert "[1 / length]" in k["description"]
    told = site.ksdp("plugins", "show", "abc", COLUMNS="200").stdout
    for part in ("ksdp-abc-flow:abc", "meaning [unit]", "--A", "--B", "--C", "--wavenumber", "[length / time]"):
        assert part in told


def test_the_flow_moves_particles_by_its_parameters(site: Any) -> None:
    """Without interaction and noise a step is dt v(x): the stored positions differ from the start by that."""
    still = ["--M", "0", "--mu", "0", "--J", "500", "--T", "0.002", "--dt", "0.002"]
    done = site.ksdp("simulate", "--flow", "abc", "--A", "1", "--B", "0.5,2", "--C=0.25", *still, "-o", "abc.zarr")
    assert done.returncode == 0, done.stderr
    from ksdp_abc_flow.flow import ABC

    run = open_run(site.folder / "abc.zarr")
    assert run.attrs["versions"]["ksdp-abc-flow"] == "0.1.0"
    for case, b in enumerate((0.5, 2.0)):
        x = Ball().draw(500, 3, 0, stream=case)
        v = ABC(ABC.Params(A=1.0, B=b, C=0.25), 3).velocity(x, 0.0)
        np.testing.assert_allclose(run.frame(case) - x, 0.002 * v, atol=3e-7)


def test_the_kernel_attracts_less_the_faster_the_chemical_decays(site: Any) -> None:
    """Without noise; at k = 0 the particles move as with the kernel blob."""
    options = ["--mu", "0", "--J", "500", "--T", "0.02", "--dt", "1e-3"]
    done = site.ksdp("simulate", "--kernel", "screened", "--k", "0,3,30", *options, "-o", "screened.zarr")
    assert done.returncode == 0, done.stderr
    run = open_run(site.folder / "screened.zarr")
    blob = simulate(kernel="blob", mu=0, J=500, T=0.02, dt=1e-3, out=site.folder / "blob.zarr")
    np.testing.assert_allclose(run.frame(0), blob.frame(0), atol=1e-5)
    start, end = ([(cloud.astype(float) ** 2).sum(1).mean() for cloud in clouds] for clouds in (
        [Ball().draw(500, 2, 0, stream=case) for case in range(3)], [run.frame(case) for case in range(3)]
    ))  # fmt: skip
    contracted = [before - after for before, after in zip(start, end, strict=True)]
    assert contracted[0] == pytest.approx(8 * 0.02, rel=0.1)  # chi M / (2 pi) t, less the blob's core, Euler's error
    assert contracted[0] > 1.5 * contracted[1] > 1.5 * 5 * contracted[2] > 0


GPU = """
import numpy as np, torch
from ksdp_cli.initial.ball import Ball
from ksdp_cli.particles.engines.direct_cpu import DirectCPU
from ksdp_cli.particles.engines.direct_gpu import DirectGPU
from ksdp_screened_kernel.kernel import Screened

x = Ball().draw(150, 2, 1)
force = DirectGPU(Screened, (1e-3, 2.0), 2, "float32")(torch.from_numpy(x)).numpy()
exact = DirectCPU(Screened, (1e-3, 2.0), 2, "float64")(x.astype(np.float64))
print(np.abs(force - exact).max() / np.abs(exact).max())
"""


@pytest.mark.interpreter
def test_the_kernel_runs_as_a_GPU_program(site: Any) -> None:
    """Triton's interpreter on CPU tensors; float32 rounding of 150 terms."""
    done = site.python(GPU, TRITON_INTERPRET="1")
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 2e-6
