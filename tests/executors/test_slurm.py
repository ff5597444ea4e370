"""submitit takes the cases: the bits of one process, jobs that outlive their driver, and a lost job's case done later.

The jobs are local processes, or those of `slurm_stand_in`, which speaks as sbatch and squeue do; a real Slurm is asked
in `test_slurm_cluster`.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import ksdp_cli as ksdp
from ksdp_cli.base.outputs import Lock
from ksdp_cli.errors import ConfigError, Interrupted, ResourceError
from ksdp_cli.executors import queue, slurm
from ksdp_cli.store import Run
from ksdp_cli.testing import check_executor

from .conftest import LONG, OPTIONS, begun, kill_one, same
from .slurm_stand_in import install

pytest.importorskip("submitit", reason="the extra ksdp[slurm] is not installed")
# the jobs are meant to outlive the object that started them
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="needs /proc to find the jobs")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the stand-in's states; its commands come first on the path."""
    states = tmp_path / "states"
    states.mkdir()
    install(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("SLURM_STAND_IN", str(states))
    monkeypatch.setattr(slurm, "LOOK_FAR", 0.1)
    monkeypatch.setattr(slurm, "LATE", 1.0)
    monkeypatch.setattr(queue, "FRESH", 0.1)
    return states


def killed(folder: Path, seed: int) -> Run:
    path = folder / f"{seed}.zarr"
    options = LONG | {"out": path, "executor": "slurm:local", "workers": 2}
    killer = kill_one(path, "submitit.core._submit", seed, lambda: begun(path))
    try:
        return ksdp.simulate(**options)  # where the job was through before the signal came
    except ResourceError as error:
        assert "ended early" in str(error)  # noqa: PT017
    finally:
        killer.join()
    return ksdp.simulate(**options, resume=True)


@needs_proc
def test_a_killed_job_s_cases_are_done_by_the_second_call(tmp_path: Path, long_serial: Run) -> None:
    assert same(killed(tmp_path, 0), long_serial)
    assert [path.name for path in tmp_path.iterdir()] == ["0.zarr"]


@pytest.mark.slow
@needs_proc
def test_twenty_kills_of_twenty_jobs(tmp_path: Path, long_serial: Run) -> None:
    assert [same(killed(tmp_path, seed), long_serial) for seed in range(1, 21)] == [True] * 20


@pytest.mark.slow
def test_the_contract() -> None:
    check_executor(slurm.Slurm, "local")


def test_a_squeue_that_fails_without_a_message_is_reported_by_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "squeue").write_text("#!/bin/sh\necho ' ' >&2\nexit 3\n")
    (tmp_path / "squeue").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setattr(queue, "FRESH", 0.0)
    asked = queue.Queue()
    assert all(asked.has("7") for _ in range(queue.FAILURES))
    assert "exit status 3" in asked.trouble()


def test_an_array_outlives_its_driver_and_is_followed_by_the_next(
    tmp_path: Path, long_serial: Run, cluster: Path
) -> None:
    """The second driver finds no controller that answers; it says so once, and waits for the results."""
    path = tmp_path / "a.zarr"
    options = LONG | {"out": path, "executor": "slurm:partition=short,cpus_per_task=2,reservation=mine", "workers": 2}
    gate = Lock(tmp_path / "a.zarr.case-2")  # which this case waits for until the second driver has been told
    with pytest.raises(Interrupted, match="jobs 100") as caught:
        ksdp.simulate(**options, stop=lambda: signal.SIGINT if begun(path) else None)
    assert caught.value.exit_code == 130
    (cluster / "silent").touch()
    warnings: list[str] = []

    def warn(sentence: str) -> None:
        warnings.append(sentence)
        if "squeue" in sentence:
            gate.release()

    run = ksdp.simulate(**options, resume=True, warn=warn)
    assert same(run, long_serial)
    (warning,) = [sentence for sentence in warnings if "squeue" in sentence]
    assert "does not answer (slurm_load_jobs error: Unable to contact slurm controller)" in warning
    (cluster / "silent").unlink()
    (sent,) = cluster.glob("sent*")
    asked = sent.read_text()
    for line in ("--array=0-2%2", "--partition=short", "--reservation=mine", "--job-name=ksdp"):
        assert f"#SBATCH {line}\n" in asked
    (srun,) = [line for line in asked.splitlines() if line.startswith("srun ")]
    assert " --cpus-per-task=2 " in srun  # srun does not take it over from sbatch
    ends = time.monotonic() + 120
    while (states := {file.read_text() for file in cluster.glob("*_*")}) != {"COMPLETED"} and time.monotonic() < ends:
        time.sleep(0.05)  # a job has ended a moment after it has noted that it is done
    assert states == {"COMPLETED"}
    assert not (tmp_path / "a.zarr.jobs").exists()


@pytest.mark.slow
def test_scancel_saves_the_states(tmp_path: Path, cluster: Path) -> None:
    path = tmp_path / "a.zarr"
    longer = LONG | {"J": 5000, "out": path, "executor": "slurm:cases_per_job=2", "snapshots": [0.005, 0.1]}
    with pytest.raises(Interrupted):
        ksdp.simulate(**longer, stop=lambda: signal.SIGINT if begun(path) else None)
    while not any(ksdp.open_run(path).progress()):
        time.sleep(0.02)  # before a first step there is no state to save
    subprocess.run(["scancel", "100"], check=True)
    ends = time.monotonic() + 60
    while below_array(cluster) and time.monotonic() < ends:
        time.sleep(0.05)
    assert any((tmp_path / "a.zarr.checkpoint").iterdir())
    assert not ksdp.open_run(path).complete
    assert ksdp.simulate(**longer, resume=True).complete
    assert len(list(cluster.glob("sent*"))) == 2


def below_array(cluster: Path) -> bool:
    """Whether a job of the stand-in runs."""
    return any(file.read_text().startswith("RUNNING") for file in cluster.glob("*_*"))


def test_what_cannot_be_done_is_refused_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = OPTIONS | {"out": tmp_path / "a.zarr"}
    with pytest.raises(ConfigError, match="KEY=VALUE"):
        ksdp.simulate(**options, executor="slurm:cpu")
    with pytest.raises(ConfigError, match="cases_per_job = 0"):
        ksdp.simulate(**options, executor="slurm:cases_per_job=0")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ResourceError, match="srun"):
        ksdp.simulate(**options, executor="slurm:partition=cpu")
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(ResourceError, match=r"ksdp\[slurm\]"):
        ksdp.simulate(**options, executor="slurm:local")
    assert not list(tmp_path.iterdir())
