"""Forked workers, as multiprocessing, joblib and a DataLoader start them, after their parent has used ksdp."""

from __future__ import annotations

import multiprocessing as mp
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ksdp_cli as ksdp
from ksdp_cli.base import device
from ksdp_cli.errors import ResourceError

pytestmark = pytest.mark.skipif("fork" not in mp.get_all_start_methods(), reason="the system has no fork")
WORKERS = 8
SMALL: dict[str, Any] = {"flow": "laminar2d", "A": [1, 10, 100], "J": 300, "T": 1e-3, "dt": 1e-3}


def work(folder: str) -> tuple[bytes, str, bytes, float]:
    """Every verb that computes; what it gave, to the bit."""
    at = Path(folder)
    at.mkdir()
    run = ksdp.simulate(out=at / "s.zarr", **SMALL)
    model = ksdp.train(run, N=60, steps=5, out=at / "m.safetensors").trained.model
    cloud = ksdp.sample(model, n=20_000, A=50, out=at / "c.zarr")  # more than a thread's piece
    compared = ksdp.compare(run, ksdp.open_run(at / "s.zarr"), floor="halves", A=10, N=50)
    return run.frame(2).tobytes(), model.sha256, cloud.frame().tobytes(), compared.comparison.w2_squared


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_eight_forked_workers_do_what_their_parent_does(tmp_path: Path) -> None:
    alone = work(str(tmp_path / "alone"))
    with mp.get_context("fork").Pool(WORKERS) as pool:
        found = pool.map_async(work, [str(tmp_path / str(k)) for k in range(WORKERS)]).get(timeout=300)
    assert all(one == alone for one in found)


def test_a_worker_that_was_forked_after_the_gpu_was_used_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "_is_in_bad_fork", lambda: True)
    with pytest.raises(ResourceError, match="spawn"):
        device.choose("cuda")


EMPTY = """
import sys, hashlib
import ksdp_cli as ksdp
run = ksdp.simulate(J=50, T=1e-3, dt=1e-3, out=sys.argv[1], dtype=sys.argv[2], engine=sys.argv[3])
print(hashlib.sha256(run.frame().tobytes()).hexdigest())
"""


@pytest.mark.slow
def test_eight_processes_fill_one_empty_cache(tmp_path: Path) -> None:
    """They compile the same functions for two types at one moment; a ninth then reads what they left."""
    env = os.environ | {"KSDP_CACHE_DIR": str(tmp_path / "ksdp")}

    def start(k: int) -> subprocess.Popen[str]:
        kinds = [("float32", "direct"), ("float64", "direct"), ("float32", "tree"), ("float64", "tree")][k % 4]
        command = [sys.executable, "-c", EMPTY, str(tmp_path / f"{k}.zarr"), *kinds]
        return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    jobs = [start(k) for k in range(8)]
    told = [job.communicate(timeout=550) for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 8, told
    later = [start(k).communicate(timeout=200)[0] for k in range(8, 12)]
    for k in range(4):
        assert len({told[k][0], told[k + 4][0], later[k]}) == 1


READ_ONLY = """
import ksdp_cli as ksdp
from ksdp_cli.base.cache_folder import cache_folder
print(ksdp.simulate(J=20, T=1e-3, dt=1e-3, out="a.zarr").frame().sum())
print(cache_folder())
"""


@pytest.mark.slow
def test_an_installation_that_cannot_be_written_has_a_temporary_cache(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    below = str(tmp_path / "file" / "below")
    env = os.environ | {"KSDP_CACHE_DIR": below, "XDG_CACHE_HOME": below}
    done = subprocess.run([sys.executable, "-c", READ_ONLY], cwd=tmp_path, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not Path(done.stdout.split()[1]).exists()
