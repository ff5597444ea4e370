"""NVIDIA's own tools on small processes: the memory checker, and the profiler on one pair sum, where they are there."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from .child import run
from .harness import Bench

#: What of the profiler's report tells what bounds a program.
METRICS = {
    "sm__throughput.avg.pct_of_peak_sustained_elapsed": "SM",
    "sm__inst_issued.avg.pct_of_peak_sustained_active": "issue",
    "sm__inst_executed_pipe_xu.avg.pct_of_peak_sustained_active": "special functions",
    "sm__inst_executed_pipe_fma.avg.pct_of_peak_sustained_active": "FMA",
    "sm__warps_active.avg.pct_of_peak_sustained_active": "warps",
    "smsp__average_warps_issue_stalled_math_pipe_throttle_per_issue_active.ratio": "stalls: pipe",
    "smsp__average_warps_issue_stalled_short_scoreboard_per_issue_active.ratio": "stalls: special functions",
    "smsp__average_warps_issue_stalled_long_scoreboard_per_issue_active.ratio": "stalls: memory",
    "smsp__average_warps_issue_stalled_not_selected_per_issue_active.ratio": "stalls: not selected",
    "smsp__average_warps_issue_stalled_wait_per_issue_active.ratio": "stalls: fixed latency",
    "smsp__average_warps_issue_stalled_dispatch_stall_per_issue_active.ratio": "stalls: register banks",
    "smsp__average_warps_issue_stalled_barrier_per_issue_active.ratio": "stalls: barrier",
    "sm__cycles_elapsed.max": "cycles",
}
SMALL = Path(__file__).with_name("small.py")


def tools(bench: Bench) -> None:
    """A check where the memory checker is there; lines of the profiler's report."""
    if bench.smoke:
        return
    bench.row_guard("memory checker", lambda: _memory(bench))
    bench.row_guard("profiler", lambda: _profile(bench))


def _found(name: str) -> str | None:
    for folder in (None, "/usr/local/cuda/bin"):
        tool = shutil.which(name, path=folder)
        if tool:
            return tool
    return None


def _memory(bench: Bench) -> None:
    tool = _found("compute-sanitizer")
    if tool is None:
        bench.tell("memory checker", "no compute-sanitizer there")
        return
    for what in ("direct", "tree"):
        seconds = min(60.0, bench.left())
        code, said = run([tool, "--tool", "memcheck", "--error-exitcode", "9", sys.executable, SMALL, what], seconds)
        lines = [line for line in said.splitlines() if line.startswith("=====")]
        told = " | ".join(lines[-3:])[:300] or said[-300:]
        if code == 0 and "computed" in said and any("ERROR SUMMARY" in line for line in lines):
            bench.check(f"memory checker, {what}", float("ERROR SUMMARY: 0 errors" not in said), 0, told)
        elif code == 9:
            bench.check(f"memory checker, {what}", 1.0, 0, " | ".join(lines[:12])[:900])
        else:
            bench.tell(f"memory checker, {what}", f"no answer, exit {code}: {told}")


def _profile(bench: Bench) -> None:
    tool = _found("ncu")
    if tool is None:
        bench.tell("profiler", "no ncu there")
        return
    asked = ["--clock-control", "none", "--kernel-name", "pair_sum", "--launch-count", "1", "--csv"]
    command = [tool, *asked, "--metrics", ",".join(METRICS), sys.executable, SMALL, "large"]
    code, said = run(command, min(60.0, bench.left()))
    told = []
    for line in said.splitlines():
        cells = line.strip('"').split('","')
        told += [f"{METRICS[name]} {cells[-1]}" for name in METRICS if name in cells]
    bench.tell("profiler, blob 2D, J = 1e5", ", ".join(told) or f"no answer, exit {code}: {said[-400:]}")
