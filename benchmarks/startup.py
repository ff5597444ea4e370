"""Start-up: `ksdp --help`, `ksdp plugins`, and `ksdp simulate` of a tiny case the second time, as whole processes.

    python benchmarks/startup.py [--repeats 7] [--modules]

Wall time is the smallest of the repeats; cpu is user and system time of the process, which other load on the machine
disturbs less. The first simulation compiles into an empty cache folder. ``--modules`` lists what importing costs, by
distribution.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

COMMANDS = {
    "ksdp --help": ("--help",),
    "ksdp plugins": ("plugins",),
    "ksdp simulate, first": ("simulate", "--J", "200", "--T", "1e-3", "-o", "tiny.zarr", "--overwrite"),
    "ksdp simulate, second": ("simulate", "--J", "200", "--T", "1e-3", "-o", "tiny.zarr", "--overwrite"),
    "ksdp simulate --resume, complete": ("simulate", "--J", "200", "--T", "1e-3", "-o", "tiny.zarr", "--resume"),
}
GOALS = {"ksdp --help": 0.5, "ksdp simulate, second": 3.0}
PROGRAM = "import sys; from ksdp_cli.cli.app import main; sys.argv[0] = 'ksdp'; main()"


def run(arguments: tuple[str, ...], folder: str, *options: str) -> tuple[float, float, str]:
    """Wall time, processor time and stderr of a process."""
    environment = os.environ | {"KSDP_CACHE_DIR": str(Path(folder) / "cache")}
    command = [sys.executable, *options, "-c", PROGRAM, *arguments]
    said = Path(folder) / "said"
    with said.open("w") as stderr:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=stderr)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begin
    if process.returncode:
        raise SystemExit(said.read_text())
    return wall, usage.ru_utime + usage.ru_stime, said.read_text()


def modules(said: str) -> list[tuple[str, float]]:
    """Seconds of importing by top-level package, from what ``-X importtime`` says."""
    spent: Counter[str] = Counter()
    for own, name in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s*(\w+)", said):
        spent[name] += int(own)
    return [(name, count / 1e6) for name, count in spent.most_common(12)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--modules", action="store_true")
    asked = parser.parse_args()
    print(f"{'':34} {'wall s':>7} {'cpu s':>7} {'goal':>6}")
    with tempfile.TemporaryDirectory() as folder:
        for name, arguments in COMMANDS.items():
            once = "first" in name
            timed = [run(arguments, folder)[:2] for _ in range(1 if once else asked.repeats)]
            wall, cpu = (min(column) for column in zip(*timed, strict=True))
            goal = f"<= {GOALS[name]:g}" if name in GOALS else ""
            print(f"{name:34} {wall:7.2f} {cpu:7.2f} {goal:>6}", flush=True)
        if asked.modules:
            _, _, said = run(COMMANDS["ksdp simulate, second"], folder, "-X", "importtime")
            for name, seconds in modules(said):
                print(f"    {name:20} {seconds:.3f}")


if __name__ == "__main__":
    main()
