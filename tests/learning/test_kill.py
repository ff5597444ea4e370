"""A training that is really terminated and really killed goes on, with --resume, to the same bits."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ksdp_cli import api
from ksdp_cli.learning.model import Model

TRAIN = ["--N", "300", "--steps", "1200", "--renew-batch", "20", "--renew-gamma", "10", "--validate-every", "1000"]


#: Stands still after its first steps until it has read a line, so that a signal finds it on its way.
PROGRAM = """
import sys
from ksdp_cli.api import training
from ksdp_cli.cli.app import main

report, lines = training._report, iter(sys.stdin)

def stand_still(progress, event):
    report(progress, event)
    print("under way", file=sys.stderr, flush=True)
    next(lines, None)

training._report = stand_still
main()
"""


def start(store: Path, out: Path, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", PROGRAM, "train", str(store), "-o", str(out), *TRAIN, *more]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def finish(process: subprocess.Popen[bytes]) -> int:
    with process:
        process.communicate(timeout=300)
    return process.returncode


def when_running(process: subprocess.Popen[bytes], number: int) -> int:
    """Send signal ``number`` once the training tells its first steps; the exit code."""
    with process:
        assert process.stderr is not None
        assert any(b"under way" in line for line in process.stderr)
        process.send_signal(number)
        process.communicate(timeout=300)
    return process.returncode


@pytest.mark.slow
def test_terminated_then_killed_then_finished_is_bit_identical(tmp_path: Path) -> None:
    store = tmp_path / "run.zarr"
    api.simulate(flow="laminar2d", A="1,10,100", T=0.002, J=500, out=store)
    whole, cut = tmp_path / "whole.safetensors", tmp_path / "cut.safetensors"
    assert finish(start(store, whole)) == 0
    assert when_running(start(store, cut), signal.SIGTERM) == 143
    assert not cut.exists()
    assert (tmp_path / "cut.safetensors.checkpoint").exists()
    assert when_running(start(store, cut, "--resume"), signal.SIGKILL) == -signal.SIGKILL
    assert not cut.exists()
    assert finish(start(store, cut, "--resume")) == 0
    one, other = (Model.load(path) for path in (whole, cut))
    assert one.sha256 == other.sha256
    assert not (tmp_path / "cut.safetensors.checkpoint").exists()
