"""The cases of a sweep in other processes: one store, the bits of one process, whatever is killed on the way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.api import simulating
from ksdp_cli.api.checkpoints import Checkpoints
from ksdp_cli.api.simulating import commands
from ksdp_cli.base import checkpoint
from ksdp_cli.base.outputs import Lock
from ksdp_cli.base.params import Params
from ksdp_cli.errors import ConfigError, DataError, Interrupted
from ksdp_cli.store import Run

OPTIONS: dict[str, Any] = {
    "flow": "laminar2d", "A": [1, 10, 100], "J": 200, "dt": 1e-3, "T": 4e-3, "snapshots": [0, 2e-3, 4e-3],
    "engine": "direct",
}  # fmt: skip


@pytest.fixture(scope="module")
def serial(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return ksdp.simulate(**OPTIONS, out=tmp_path_factory.mktemp("serial") / "a.zarr")


def same_frames(run: Run, other: Run) -> bool:
    cases, frames = range(len(other.cases)), range(len(other.times))
    fields = [(run.field(c, k), other.field(c, k)) for c in cases for k in frames if run.grid or other.grid]
    alike = all(np.array_equal(run.frame(c, k), other.frame(c, k)) for c in cases for k in frames)
    return run.complete and alike and all(np.array_equal(*pair) for pair in fields)


def same(run: Run, other: Run) -> bool:
    """The same frames, and all that a store says of its run but its seconds and threads."""
    engines = [[report | {"threads": 0} for report in one.attrs["engine"]] for one in (run, other)]
    facts = ("steps", "largest_pull", "made_by", "config")
    alike = all(run.attrs[name] == other.attrs[name] for name in facts)
    return same_frames(run, other) and alike and engines[0] == engines[1]


def test_workers_make_the_store_of_one_process(tmp_path: Path, serial: Run) -> None:
    run = ksdp.simulate(**OPTIONS, out=tmp_path / "a.zarr", workers=2)
    assert same(run, serial)
    before = run.path.stat().st_mtime_ns
    again = ksdp.simulate(**OPTIONS, out=tmp_path / "a.zarr", workers=2, resume=True)
    assert (same(again, serial), again.path.stat().st_mtime_ns) == (True, before)
    assert os.listdir(tmp_path) == ["a.zarr"]
    # a finished sweep goes on from its last states, in this process or in others
    later = OPTIONS | {"T": 6e-3, "snapshots": [0, 2e-3, 4e-3, 6e-3]}
    whole = ksdp.simulate(**later, out=tmp_path / "b.zarr")
    assert np.array_equal(
        ksdp.simulate(**later, out=tmp_path / "a.zarr", workers=2, resume=True).frame(2, 3), whole.frame(2, 3)
    )


def test_cases_one_by_one_and_the_rest_by_one_process(tmp_path: Path, serial: Run) -> None:
    path = tmp_path / "a.zarr"
    run = ksdp.simulate(**OPTIONS, out=path, case=2)
    assert not run.complete
    ksdp.simulate(**OPTIONS, out=path, case=0)
    assert same(ksdp.simulate(**OPTIONS, out=path, case=1), serial)
    assert os.listdir(tmp_path) == ["a.zarr"]
    other = tmp_path / "b.zarr"
    ksdp.simulate(**OPTIONS, out=other, case=1)
    assert same_frames(ksdp.simulate(**OPTIONS, out=other, resume=True), serial)


@pytest.mark.parametrize("moment", ["the states are there", "some states are gone"])
def test_the_last_case_is_given_again_after_a_kill_before_the_end(
    moment: str, tmp_path: Path, serial: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every frame is marked, and the store is not complete yet."""
    path = tmp_path / "a.zarr"
    for case in (0, 1):
        ksdp.simulate(**OPTIONS, out=path, case=case)

    def killed(problem: Any, owner: Any) -> None:
        if moment == "some states are gone":
            checkpoint.remove(Checkpoints(path).of(1))
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(simulating, "_finish", killed)
        with pytest.raises(KeyboardInterrupt):
            ksdp.simulate(**OPTIONS, out=path, case=2)
    assert not ksdp.open_run(path).complete
    assert same(ksdp.simulate(**OPTIONS, out=path, case=2), serial)
    assert os.listdir(tmp_path) == ["a.zarr"]


def test_commands_for_a_scheduler(tmp_path: Path, serial: Run) -> None:
    lines = commands(tmp_path / "a.zarr", **OPTIONS)
    assert len(lines) == 3
    running = [subprocess.Popen([sys.executable, "-m", *line.replace("ksdp ", "ksdp_cli ", 1).split()],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for line in lines]  # fmt: skip
    said = [process.communicate(timeout=300)[1] for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert same(ksdp.open_run(tmp_path / "a.zarr"), serial)


def test_a_damaged_case_is_run_again_elsewhere_and_copied(tmp_path: Path, serial: Run) -> None:
    path, other = tmp_path / "a.zarr", tmp_path / "b.zarr"
    shutil.copytree(serial.path, path)
    shutil.rmtree(path / "position" / "c" / "1")
    with pytest.raises(DataError, match=r"case 1 \(A = 10\)") as caught:
        ksdp.open_run(path).frame(1)
    assert "run its command with --case 1 -o NEW.zarr, and copy position/c/1, digest/c/1 from" in str(caught.value)
    ksdp.simulate(**OPTIONS, out=other, case=1)
    for name in ("position", "digest"):
        shutil.copytree(other / name / "c" / "1", path / name / "c" / "1", dirs_exist_ok=True)
    assert same(ksdp.open_run(path), serial)


@pytest.mark.parametrize("victim", ["worker", "driver"])
def test_a_killed_process_costs_what_its_case_had_not_saved(tmp_path: Path, victim: str) -> None:
    options = OPTIONS | {"J": 1000, "T": 0.1, "snapshots": [0, 0.05, 0.1]}
    words = ["simulate", "--flow", "laminar2d", "--A", "1,10,100", "--J", "1000", "--dt", "1e-3", "--T", "0.1",
             "--snapshots", "0,0.05,0.1", "--engine", "direct", "--workers", "2", "-o", "a.zarr"]  # fmt: skip
    # two cases wait for these, so that no worker is through when the signal comes
    gates = [Lock(tmp_path / f"a.zarr.case-{case}") for case in (1, 2)]
    with subprocess.Popen(
        [sys.executable, "-m", "ksdp_cli", *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    ) as driver:
        mark = tmp_path / "a.zarr" / "digest" / "c" / "0" / "0" / "0"
        while not mark.exists() and driver.poll() is None:
            time.sleep(0.01)
        children = Path(f"/proc/{driver.pid}/task/{driver.pid}/children")
        workers = [
            int(pid) for pid in children.read_text().split() if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()
        ]
        os.kill(workers[0] if victim == "worker" else driver.pid, signal.SIGKILL)
        for gate in gates:
            gate.release()
        _, said = driver.communicate(timeout=300)
    if victim == "worker":
        assert driver.returncode == 5, said
        assert "--resume" in said
    for pid in workers:
        ends = time.monotonic() + 60
        while runs(pid) and time.monotonic() < ends:
            time.sleep(0.05)
        assert not runs(pid)
    run = ksdp.simulate(**options, out=tmp_path / "a.zarr", workers=2, resume=True)
    assert same_frames(run, ksdp.simulate(**options, out=tmp_path / "b.zarr"))


def runs(pid: int) -> bool:
    """Whether the process is there and is no zombie: where the first process does not reap, an orphan stays one."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_signal_is_passed_on_and_every_state_is_saved(tmp_path: Path) -> None:
    options = OPTIONS | {"J": 1000, "T": 0.1, "snapshots": [0, 0.05, 0.1]}
    mark = tmp_path / "a.zarr" / "digest" / "c" / "0" / "0" / "0"
    gate = Lock(tmp_path / "a.zarr.case-2")  # which this case waits for, so that the sweep is not through before

    def stop() -> int | None:
        if not mark.exists():
            return None
        gate.release()
        return signal.SIGTERM

    with pytest.raises(Interrupted) as caught:
        ksdp.simulate(**options, out=tmp_path / "a.zarr", workers=2, stop=stop)
    assert caught.value.exit_code == 143
    assert (tmp_path / "a.zarr.checkpoint" / "0").exists()
    run = ksdp.simulate(**options, out=tmp_path / "a.zarr", resume=True)
    assert same_frames(run, ksdp.simulate(**options, out=tmp_path / "b.zarr"))


def test_a_request_to_stop_that_is_made_once_is_heard_before_the_first_case(tmp_path: Path) -> None:
    requests = iter([int(signal.SIGTERM)])
    with pytest.raises(Interrupted, match="first case") as caught:
        ksdp.simulate(**OPTIONS, out=tmp_path / "a.zarr", workers=2, stop=lambda: next(requests, None))
    assert caught.value.exit_code == 143


def test_warnings_come_from_the_workers(tmp_path: Path) -> None:
    """A step that the kernel does not resolve, seen in both cases: the first is told, the second counted."""
    messages: list[str] = []
    coarse = OPTIONS | {"A": [1, 2], "dt": 2e-3, "delta2": 1e-5}
    ksdp.simulate(**coarse, out=tmp_path / "a.zarr", workers=2, warn=messages.append)
    assert sum("delta in one step" in message for message in messages) == 1
    assert any(message.startswith("1 other") for message in messages)


def test_a_chemical_keeps_its_state_whoever_ends_the_sweep(tmp_path: Path) -> None:
    options = {"chemistry": "parabolic", "eps": [0.1, 1.0], "box": 4, "J": 100, "dt": 1e-3, "store_field": 6}
    path = tmp_path / "a.zarr"
    ksdp.simulate(**options, T=2e-3, out=path, case=1)
    assert ksdp.simulate(**options, T=2e-3, out=path, case=0).complete
    later = {"T": 4e-3, "snapshots": [2e-3, 4e-3]}
    on = ksdp.simulate(**options, **later, out=path, resume=True, workers=2)
    assert same_frames(on, ksdp.simulate(**options, **later, out=tmp_path / "b.zarr"))


def test_wrong_workers_and_cases_are_refused(tmp_path: Path) -> None:
    class Still:
        """A flow of this file."""

        dims = (2,)
        Params = Params

        def __init__(self, params: Any, dim: int) -> None:
            pass

        def velocity(self, x: Any, t: Any) -> Any:
            return 0 * x

    with pytest.raises(ConfigError, match="workers = 0"):
        ksdp.simulate(**OPTIONS, out=tmp_path / "a.zarr", workers=0)
    for where in ({"workers": 2}, {"executor": "processes"}):
        with pytest.raises(ConfigError, match="--case 1"):
            ksdp.simulate(**OPTIONS, **where, out=tmp_path / "a.zarr", case=1)
    with pytest.raises(ConfigError, match="case = 3"):
        ksdp.simulate(**OPTIONS, out=tmp_path / "a.zarr", case=3)
    with pytest.raises(ConfigError, match="-o"):
        ksdp.simulate(**OPTIONS, case=1)
    with pytest.raises(ConfigError, match="--workers"):
        ksdp.simulate(flow=Still, mu=[1, 2], J=10, T=1e-3, dt=1e-3, out=tmp_path / "b.zarr", workers=2)
