"""The paper's own run by the command line, start of the process to its end: 2D, A = 0, T = 0.1, dt = 1e-4, J = 10^4.

    python benchmarks/paper_run.py [--repeats 3]

The paper (section 4.1) tells 120 s for it on an RTX 2070. A tiny run before it fills the cache of compiled code, as any
earlier run on the machine would have; its second time is the start-up. ``cpu`` are processor seconds of all threads:
on a busy machine, half of them is what two quiet cores would need at best.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TINY = ["--J", "100", "--T", "1e-3"]
PAPER = ["--flow", "none", "--J", "1e4", "--T", "0.1", "--dt", "1e-4"]


def measure(arguments: list[str]) -> tuple[float, float, float]:
    """Wall and processor seconds and largest memory [GiB] of ``ksdp simulate`` with these arguments."""
    with tempfile.TemporaryDirectory() as folder:
        begin = time.perf_counter()
        program = [
            str(Path(sys.executable).with_name("ksdp")),
            "simulate",
            *arguments,
            "-o",
            str(Path(folder) / "run.zarr"),
        ]
        child = subprocess.Popen(program, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.perf_counter() - begin
    if status:
        raise SystemExit(f"{' '.join(program)} failed with status {status}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    measure(TINY)
    print("run            wall s    cpu s  memory GiB")
    for name, arguments in (("tiny", TINY), ("paper", PAPER)):
        for _ in range(options.repeats):
            wall, cpu, memory = measure(arguments)
            print(f"{name:12} {wall:8.2f} {cpu:8.2f} {memory:11.2f}", flush=True)


if __name__ == "__main__":
    main()
