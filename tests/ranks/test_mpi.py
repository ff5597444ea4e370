"""``mpiexec -n 2 ksdp simulate --world mpi``: the bits of one process, and an end of all ranks when one dies."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ksdp_cli import open_run, simulate

RUN = (
    "simulate",
    "--world",
    "mpi",
    "--flow",
    "laminar2d",
    "--A",
    "5",
    "--J",
    "2001",
    "--T",
    "3e-4",
    "--engine",
    "tree",
)
#: What a launcher of Open MPI, version 4 or 5, wants to be told on a small machine and as root.
SMALL = {
    **{"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"},
    **{"OMPI_MCA_rmaps_base_oversubscribe": "1", "PRTE_MCA_rmaps_default_mapping_policy": ":oversubscribe"},
    "KSDP_THREADS": "1",
}
#: Two ranks of which the second one ends after two steps.
DYING = """
import sys
from ksdp_cli.base import launcher
from ksdp_cli.cli.app import main
from ksdp_cli.particles.case_run import CaseRun

def count(self, steps, real=CaseRun.count):
    real(self, steps)
    if launcher.rank(mpi=True) == 1 and self.done() == 2:
        raise RuntimeError("a fault of this rank")

CaseRun.count = count
main()
"""

#: Shares of three and two columns, a tensor on each rank.
PIECES = """
import torch
from ksdp_cli.particles import gpu_shares
from ksdp_cli.particles.ranks import world_of

world = world_of("mpi")
whole, ends = torch.arange(10.0).reshape(2, 5), [0, 3, 5]
mine = torch.full((2, 5), -1.0)
low, high = ends[world.rank], ends[world.rank + 1]
mine[:, low:high] = whole[:, low:high]
gpu_shares.join(mine, ends, world)
assert torch.equal(mine, whole), mine
assert (world.fetch(mine) == whole.numpy()).all()
world.close()
print("joined", flush=True)
"""

beside = Path(sys.executable).with_name("mpiexec")
MPIEXEC = str(beside) if beside.exists() else shutil.which("mpiexec")
pytestmark = [
    pytest.mark.skipif(MPIEXEC is None, reason="there is no mpiexec"),
    pytest.mark.skipif(importlib.util.find_spec("mpi4py") is None, reason="there is no mpi4py"),
]


def mpiexec(folder: Path, *program: str) -> subprocess.CompletedProcess[str]:
    command = [str(MPIEXEC), "-n", "2", sys.executable, *program]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, env=os.environ | SMALL)


def test_ranks_of_mpi_have_the_bits_of_one_process(tmp_path: Path) -> None:
    done = mpiexec(tmp_path, "-m", "ksdp_cli", *RUN, "-o", "a.zarr", "--json")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count('"second_moment"') == 1
    alone = simulate(flow="laminar2d", A=5, J=2001, T=3e-4, engine="tree", out=tmp_path / "alone.zarr")
    ranks = open_run(tmp_path / "a.zarr")
    assert ranks.attrs["hardware"].startswith("2 ranks")
    assert ranks.frame(0, 0).tobytes() == alone.frame(0, 0).tobytes()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["direct", "tree"])
def test_two_ranks_of_mpi_in_space_have_the_positions_of_one_process(tmp_path: Path, engine: str) -> None:
    """3001 particles, which two ranks cannot share evenly, by a scheme that asks for two drifts a step."""
    run = {"flow": "laminar3d", "dim": "3", "A": "5", "J": "3001", "T": "3e-4", "scheme": "heun", "engine": engine}
    words = [word for name, value in run.items() for word in (f"--{name}", value)]
    done = mpiexec(tmp_path, "-m", "ksdp_cli", "simulate", "--world", "mpi", *words, "-o", "a.zarr")
    assert done.returncode == 0, done.stderr
    alone = simulate(**run, out=tmp_path / "alone.zarr")  # type: ignore[arg-type]
    ranks = open_run(tmp_path / "a.zarr")
    assert ranks.attrs["hardware"].startswith("2 ranks")
    assert ranks.attrs["engine"][0]["engine"] == engine
    digests = [hashlib.sha256(run.frame(0, 0).tobytes()).hexdigest() for run in (ranks, alone)]
    assert digests[0] == digests[1]


@pytest.mark.slow
def test_mpi_adds_grids_and_joins_what_lies_on_devices(tmp_path: Path) -> None:
    """The mesh, whose grids are added; and pieces of tensors, which go through the host."""
    done = mpiexec(tmp_path, "-c", PIECES)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("joined") == 2
    mesh = {"flow": "laminar2d", "A": "5", "J": "3001", "T": "3e-4", "engine": "mesh"}
    words = [word for name, value in mesh.items() for word in (f"--{name}", value)]
    done = mpiexec(tmp_path, "-m", "ksdp_cli", "simulate", "--world", "mpi", *words, "-o", "a.zarr")
    assert done.returncode == 0, done.stderr
    alone = simulate(**mesh, out=tmp_path / "alone.zarr")  # type: ignore[arg-type]
    assert alone.attrs["engine"][0]["engine"] == "mesh"
    assert open_run(tmp_path / "a.zarr").frame(0, 0).tobytes() == alone.frame(0, 0).tobytes()


@pytest.mark.slow
def test_a_rank_of_mpi_that_fails_ends_the_others(tmp_path: Path) -> None:
    done = mpiexec(tmp_path, "-c", DYING, *RUN, "-o", "a.zarr")
    assert done.returncode != 0
    assert done.stderr.count("a fault of this rank") == 1
    done = mpiexec(tmp_path, "-m", "ksdp_cli", *RUN, "-o", "a.zarr", "--resume")
    assert done.returncode == 0, done.stderr
    assert open_run(tmp_path / "a.zarr").complete
