"""The real launcher: it passes signals on, and starts ranks again that have lost one of them."""

from __future__ import annotations

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ksdp_cli import open_run, simulate
from ksdp_cli.base import checkpoint

RUN = {"flow": "laminar2d", "A": "5", "J": "20000", "snapshots": "1e-4,2e-2", "engine": "tree"}
WORDS = [word for name, value in RUN.items() for word in (f"--{name}", value)]
pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]


def torchrun(folder: Path, *words: str, restarts: int = 0) -> subprocess.Popen[str]:
    launcher = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--max-restarts", str(restarts)]
    return subprocess.Popen(
        [sys.executable, *launcher, "-m", "ksdp_cli", "simulate", *WORDS, "-o", "a.zarr", "--resume", *words],
        cwd=folder,
        env=os.environ | {"KSDP_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_frame(folder: Path) -> None:
    """Wait until the run is under way."""
    for _ in range(1200):
        if (folder / "a.zarr" / "digest" / "c" / "0").exists():
            return
        time.sleep(0.1)
    raise AssertionError("no frame was written")


def rank(launcher: int, wanted: str) -> int:
    """The process of a rank, among the children of its launcher; 0 before there is one."""
    for child in Path(f"/proc/{launcher}/task/{launcher}/children").read_text().split():
        if f"RANK={wanted}" in Path(f"/proc/{child}/environ").read_text().split("\0"):
            return int(child)
    return 0


@pytest.mark.parametrize("victim", ["0", "1"])
def test_ranks_are_started_again_and_end_with_the_bits_of_one_process(tmp_path: Path, victim: str) -> None:
    run = torchrun(tmp_path, restarts=1)
    first_frame(tmp_path)
    process = rank(run.pid, victim)
    assert process, "the run is through"  # 0 would kill the test
    os.kill(process, signal.SIGKILL)
    out, err = run.communicate(timeout=300)
    assert run.returncode == 0, err
    assert out.count("a.zarr: J = 20000") == 1
    assert err.count("another rank of this run has ended") == 1
    alone = simulate(**RUN, out=tmp_path / "alone.zarr")  # type: ignore[arg-type]
    ranks = open_run(tmp_path / "a.zarr")
    assert [ranks.frame(0, k).tobytes() for k in range(2)] == [alone.frame(0, k).tobytes() for k in range(2)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_launcher_saves_the_state(tmp_path: Path, number: int) -> None:
    run = torchrun(tmp_path, "--snapshots", "1e-4,1")  # which is not through when the signal comes
    first_frame(tmp_path)
    run.send_signal(number)
    out, err = run.communicate(timeout=300)
    assert out == ""
    assert err.count("the state is saved") == 1
    assert (tmp_path / "a.zarr.checkpoint" / "0").exists()


@pytest.mark.parametrize("to", ["launcher", "0", "1"])
def test_an_early_signal_ends_every_rank_with_at_most_one_line(tmp_path: Path, to: str) -> None:
    """Seven times at a random moment until the first frame, and a little after: what is stored goes on."""
    began, longer = time.monotonic(), ("--snapshots", "1e-4,1")
    run = torchrun(tmp_path, *longer)
    first_frame(tmp_path)
    until, draw = 1.1 * (time.monotonic() - began), random.Random(to)
    run.send_signal(signal.SIGTERM)
    run.communicate(timeout=300)
    for _ in range(7):
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        run = torchrun(tmp_path, *longer)
        time.sleep(draw.uniform(0.0, until))
        while to != "launcher" and not (found := rank(run.pid, to)):
            time.sleep(0.01)
        os.kill(run.pid if to == "launcher" else found, signal.SIGTERM)
        out, err = run.communicate(timeout=300)
        assert run.returncode != 0, err
        assert out == ""
        lines = re.findall(r"^ksdp: error: (.*)$", err, re.M)
        assert len(lines) <= 1, err
        assert len(lines) == 1 or not (tmp_path / "a.zarr").exists(), err
        assert all("signal 15" in line or "another rank" in line for line in lines), lines
        saved = tmp_path / "a.zarr.checkpoint" / "0"
        assert not saved.exists() or checkpoint.load(saved)[0]["step"] >= 0
        assert not (tmp_path / "a.zarr").exists() or not open_run(tmp_path / "a.zarr").complete


def test_a_second_ctrl_c_ends_all_ranks_with_at_most_one_line(tmp_path: Path) -> None:
    """Three times, so soon after the first that the step is not over."""
    for _ in range(3):
        shutil.rmtree(tmp_path)
        tmp_path.mkdir()
        run = torchrun(tmp_path, "--snapshots", "1e-4,1")
        first_frame(tmp_path)
        ranks = [rank(run.pid, number) for number in "01"]
        for pause in (0.01, 0.0):
            for one in ranks:
                os.kill(one, signal.SIGINT)
            time.sleep(pause)
        out, err = run.communicate(timeout=300)
        assert run.returncode != 0
        assert out == ""
        assert len(re.findall(r"^ksdp: ", err, re.M)) <= 1, err
