"""The card: what it calls itself, its clocks under load, its memory and its arithmetic."""

from __future__ import annotations

import subprocess
from typing import Any

from ksdp_cli.base.device import describe

from .harness import Bench

QUERY = "name,driver_version,clocks.sm,clocks.max.sm,clocks.mem,temperature.gpu,power.draw"


def smi(query: str = QUERY) -> str:
    """The answer of nvidia-smi, or why there is none."""
    try:
        done = subprocess.run(
            ["nvidia-smi", f"--query-gpu={query}", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"nvidia-smi: {error}"
    return (done.stdout or done.stderr).strip()


def clock_under(call: Any, launches: int = 40) -> float:
    """Clock of the multiprocessors in Hz, read while ``call`` is queued; nan where it cannot be read."""
    import torch

    for _ in range(launches):
        call()
    told = smi("clocks.sm")
    torch.cuda.synchronize()
    try:
        return 1e6 * float(told.splitlines()[0])
    except (ValueError, IndexError):
        return float("nan")


def card(bench: Bench) -> None:
    """Name, driver, clocks, copy bandwidth and the ceiling of fused multiply-adds."""
    import torch
    import triton

    bench.facts |= {"torch": torch.__version__, "triton": triton.__version__, "card": describe(bench.device)}
    bench.tell("versions", f"torch {torch.__version__}, triton {triton.__version__}, {bench.facts['card']}")
    if not bench.smoke:
        about = torch.cuda.get_device_properties(0)
        bench.facts |= {
            "sm": 10 * about.major + about.minor,
            "multiprocessors": about.multi_processor_count,
            "memory": about.total_memory,
            "smi": smi(),
        }
        size = f"{about.multi_processor_count} multiprocessors, {about.total_memory / 2**30:.0f} GiB"
        bench.tell("card", f"sm_{bench.facts['sm']}, {size}; {QUERY}: {bench.facts['smi']}")
    bench.row_guard("copy", lambda: _copy(bench))
    bench.row_guard("FMA", lambda: _arithmetic(bench))


def _copy(bench: Bench) -> None:
    import torch

    x = torch.empty(bench.size(1 << 28, 1 << 16), device=bench.device)
    y = torch.empty_like(x)
    seconds = bench.seconds(lambda: y.copy_(x))
    bench.facts["bandwidth"] = 2 * x.nbytes / seconds
    bench.goal(
        "copy, read and write", 2 * x.nbytes / seconds / 1e12, "TB/s", note="an H100 SXM: 3.35, an H200: 4.8 by name"
    )


def _arithmetic(bench: Bench) -> None:
    import torch

    from .fma import ROUNDS, fma

    programs, block = bench.size(132 * 64, 2), 1024
    x = torch.ones(programs * block, device=bench.device)
    rounds = bench.size(4096, 1)

    def call() -> None:
        fma[(programs,)](x, rounds, BLOCK=block, num_warps=4)

    seconds = bench.seconds(call)
    rate = programs * block * rounds * ROUNDS / seconds
    if bench.smoke:
        bench.goal("fused multiply-adds", rate / 1e12, "T/s")
        return
    clock = clock_under(call)
    bench.facts["clock"] = clock
    lanes = bench.facts["multiprocessors"] * 128 * clock
    bench.goal("clock under load", clock / 1e6, "MHz", 1900, "a slow clock makes every kernel look bad", least=True)
    bench.goal("fused multiply-adds", rate / 1e12, "T/s", note=f"{100 * rate / lanes:.0f} % of lanes x clock")
