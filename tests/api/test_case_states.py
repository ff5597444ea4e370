"""How far the cases of a sweep are: by their frames, their checkpoints and who locks them."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import numpy as np
import pytest

import ksdp_cli as ksdp
from ksdp_cli.base.outputs import Lock
from ksdp_cli.cli.info import _cases, _engines, info
from ksdp_cli.store import CaseWriter, Run
from ksdp_cli.views.report.reporting import report

OPTIONS = {"mu": [1, 2], "seed": [0, 1, 2], "J": 20, "dt": 1e-3, "snapshots": [0, 1e-3], "M": 0}


def states(run: Run) -> list[str]:
    return [one["state"] for one in ksdp.info(run.path)["states"]]


def test_done_running_begun_and_to_do(tmp_path: Path) -> None:
    path = tmp_path / "s.zarr"
    run = ksdp.simulate(**OPTIONS, out=path, case=1)
    assert states(run) == ["to do", "done", *["to do"] * 4]
    with CaseWriter(path, 2) as writer:
        assert states(run)[2:4] == ["running", "to do"]
        assert ksdp.info(path)["states"][2]["by"] == f"process {os.getpid()} on {platform.node()}"
        writer.write(0, np.zeros((20, 2), np.float32))
    assert states(run) == ["to do", "done", "begun", *["to do"] * 3]
    with Lock(path):  # one process that moves all cases in turn
        assert states(run) == ["running", "done", *["running"] * 4]
    (tmp_path / ".s.zarr.case-5.ksdp-lock").write_text(f"process {2**22 + 1} on {platform.node()}")  # of a killed one
    assert states(run)[5] == "to do"
    (tmp_path / ".s.zarr.case-5.ksdp-lock").write_text("process 7 on another-machine")
    assert states(run)[5] == "running"
    (tmp_path / ".s.zarr.case-5.ksdp-lock").unlink()


def test_info_before_any_frame_is_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "s.zarr"
    ksdp.simulate(**OPTIONS, out=path, case=1)
    info(path)
    printed = capsys.readouterr().out
    assert "no frame of all cases yet; not complete" in " ".join(printed.split())
    assert "cases: 1 done, 5 to do" in printed


def test_info_and_report_tell_the_mesh_of_every_case_and_its_doubts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """8 and 16 modes hold no delta; the page has both cases."""
    path = tmp_path / "s.zarr"
    ksdp.simulate(out=path, chemistry="parabolic", modes=[8, 16], J=50, T=1e-3, dt=1e-3)
    info(path)
    printed = " ".join(capsys.readouterr().out.split())
    assert "8 to 16 modes" in printed
    assert "(delta)" in printed
    assert "warning delta = 0.0316" in printed
    page = Path(report(path, out=tmp_path / "s.html").path).read_text(encoding="utf-8")
    assert "force, modes = 8" in page
    assert "force, modes = 16" in page
    page = Path(report(f"{path}@modes=16", out=tmp_path / "p.html").path).read_text(encoding="utf-8")
    assert "modes = 16, " in page
    assert "modes = 8, " not in page


def test_no_target_is_missed_where_nothing_is_measured() -> None:
    report = {"engine": "mesh", "target": 1e-4, "error": None, "met": False}
    assert _engines([report]) == ["mesh, target 0.0001 not measured"]
    assert _engines([report, report | {"error": 1e-5, "met": True}])[0].endswith("target 0.0001 met")
    assert _engines([report, report | {"error": 1e-3}])[0].endswith("target 0.0001 not met")


@pytest.mark.parametrize("count", [6, 100])
def test_the_table_of_cases(count: int) -> None:
    parameters = [{"mu": 1.0, "seed": seed} for seed in range(count)]
    every = [
        {"case": n, "parameters": one, "frames": 0, "state": "running" if n == count - 1 else "to do", "by": None}
        for n, one in enumerate(parameters)
    ]
    title, columns, rows = _cases(every)
    assert columns == ["case", "mu", "seed", "frames", "state", ""]
    assert title.startswith(f"cases: 1 running, {count - 1} to do")
    assert len(rows) == min(count, 40)
    assert rows[-1][:5] == [count - 1, 1.0, count - 1, 0, "running"]
