"""On a machine with Slurm: the executor's jobs, one that is killed, and each script of docs/cluster.md.

A cluster of one machine does: four nodes of slurm.conf with one ``NodeHostname`` and ports of their own.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

import ksdp_cli as ksdp
from ksdp_cli.errors import Interrupted, ResourceError
from ksdp_cli.store import Run

from .conftest import LONG, begun, same

pytest.importorskip("submitit", reason="the extra ksdp[slurm] is not installed")
PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"
SCRIPTS = [block for block in re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.S) if block.startswith("#!")]
#: What makes a page's script small: the words of the page, and those that stand for them here.
SMALLER = {
    r"1:100:11log": "1:10:3log", r"--array=0-10": "--array=0-2", r"--T 0\.02": "--T 2e-3 --J 500",
    r"--J 1e8": "--J 2000 --T 4e-4 --accuracy 1e-2", r"--cpus-per-task=\d+": "--cpus-per-task=1",
    r"--ntasks=8": "--ntasks=2", r"--time=\d+": "--time=3", r"--workers 8": "--workers 2",
}  # fmt: skip


def _nodes() -> int:
    """Nodes of a Slurm that answers, or 0."""
    if shutil.which("sinfo") is None:
        return 0
    answer = subprocess.run(["sinfo", "-h", "-N", "-t", "idle,mix,alloc"], capture_output=True, text=True, check=False)
    return len(answer.stdout.splitlines())


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(_nodes() < 4, reason="needs a Slurm of four nodes"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Jobs find this installation."""
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


def test_an_array_has_the_bits_of_one_process(tmp_path: Path, long_serial: Run) -> None:
    run = ksdp.simulate(**LONG | {"out": tmp_path / "a.zarr", "executor": "slurm:cpus_per_task=1,time=5"})
    assert same(run, long_serial)
    assert [path.name for path in tmp_path.iterdir()] == ["a.zarr"]


def test_jobs_outlive_their_driver(tmp_path: Path, long_serial: Run) -> None:
    path = tmp_path / "a.zarr"
    options = LONG | {"out": path, "executor": "slurm:cpus_per_task=1,time=5"}
    with pytest.raises(Interrupted, match="scancel"):
        ksdp.simulate(**options, stop=lambda: signal.SIGINT if begun(path) else None)
    assert same(ksdp.simulate(**options, resume=True), long_serial)


def test_a_killed_job_is_reported_and_its_case_done_by_the_second_call(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    options = LONG | {"J": 20_000, "engine": "tree", "out": path, "executor": "slurm:cpus_per_task=1,time=5"}

    def kill() -> None:
        while not begun(path):
            time.sleep(0.2)
        tasks = subprocess.run(
            ["squeue", "--me", "-h", "-r", "-t", "R", "-o", "%i"], capture_output=True, text=True, check=True
        ).stdout.split()
        subprocess.run(["scancel", "--signal=KILL", tasks[-1]], check=True)

    killer = threading.Thread(target=kill)
    killer.start()
    with pytest.raises(ResourceError, match="ended early"):
        ksdp.simulate(**options)
    killer.join()
    assert same(ksdp.simulate(**options, resume=True), ksdp.simulate(**options | {"executor": None, "out": None}))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: re.findall(r"--\w+", script)[0])
def test_the_scripts_of_the_page(script: str, tmp_path: Path) -> None:
    for word, other in SMALLER.items():
        script = re.sub(word, other, script)
    job = tmp_path / "job.sh"
    job.write_text(script.replace("/shared/", f"{tmp_path}/"))
    log = tmp_path / "log"
    sent = subprocess.run(["sbatch", "--wait", f"--output={log}", job], cwd=tmp_path, capture_output=True, text=True)
    assert sent.returncode == 0, sent.stderr + log.read_text()
    (store,) = tmp_path.glob("*.zarr")
    assert ksdp.open_run(store).complete
