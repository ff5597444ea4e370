"""Workers start and end fast, with their share of BLAS's threads; the driver's environment stays as it was."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ksdp_cli.base.threads import core_count
from ksdp_cli.executors import open_executor

BLAS = "OPENBLAS_NUM_THREADS"
EXTRAS = {"processes": None, "dask": "distributed", "slurm:local": "submitit"}


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", EXTRAS)
def test_a_worker_has_its_share_of_blas_and_the_driver_keeps_its_environment(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if package := EXTRAS[name]:
        pytest.importorskip(package)
    monkeypatch.delenv(BLAS, raising=False)
    before, threads = dict(os.environ), core_count()
    with open_executor(name, 2) as pool:
        call = pool.submit(os.getenv, BLAS)
        pool.begin(tmp_path / "jobs")
        assert call.result(60) == str(pool.threads)
    changed = {key: value for key, value in os.environ.items() if before.get(key) != value}
    assert not changed.keys() - {"__DASK_PARENT_PID"}  # by which Dask names its processes
    assert before.keys() <= os.environ.keys()
    assert core_count() == threads


def test_the_threads_that_a_user_gives_to_blas_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(BLAS, "7")
    with open_executor("processes", 1) as pool:
        assert pool.submit(os.getenv, BLAS).result(60) == "7"


@pytest.mark.parametrize(
    "work",
    [
        "from ksdp_cli.executors.environment import leave_at_once; leave_at_once()",
        "import sys; sys.argv[1:] = ['--version']; from ksdp_cli.cli.app import main; main()",
    ],
)
def test_the_end_of_a_process_does_not_look_through_its_objects(work: str) -> None:
    code = f"import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count())); {work}"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(printed.split()[-1]) > 1000
