"""Measure a store of many cases: the time to make it, its number of files, the time to open it.

    python benchmarks/sweep_store.py [--cases 1000] [--J 1000] [--steps 5] [--record]

Sweeps three parameters, one the seed, in one process and by two workers, each as a whole command. Times the opening in
fresh processes without the import of xarray; the least of five.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from harness import KSDP, Table, parser, process

OPEN = """
import sys, time, warnings
import xarray
from ksdp_cli import open_run
warnings.simplefilter("error")
began = time.perf_counter(), time.process_time()
{call}
print(time.perf_counter() - began[0], time.process_time() - began[1])
"""
CALLS = {
    "xarray.open_zarr": "xarray.open_zarr(sys.argv[1])",
    "open_run": "open_run(sys.argv[1])",
    "open_run(...).dataset(grid=True)": "open_run(sys.argv[1]).dataset(grid=True)",
    "ksdp info's states of the cases": (
        "from ksdp_cli.api.case_states import case_states; case_states(open_run(sys.argv[1]))"
    ),
}
GOAL = {"xarray.open_zarr": "2"}


def opened(call: str, store: Path) -> tuple[float, float]:
    """The least wall and processor seconds of five fresh processes."""
    program = OPEN.format(call=call)
    times = []
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", program, str(store)], capture_output=True, text=True, check=True)
        wall, cpu = map(float, done.stdout.split())
        times.append((wall, cpu))
    return min(wall for wall, _ in times), min(cpu for _, cpu in times)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--cases", type=int, default=1000)
    options.add_argument("--J", type=int, default=1000)
    options.add_argument("--steps", type=int, default=5)
    arguments = options.parse_args()
    seeds = max(2, arguments.cases // 100)
    swept = ["--A", "1:100:10log", "--mu", "0.5:1:10", "--seed", f"0:{seeds - 1}:{seeds}"]
    words = ["simulate", "--flow", "laminar2d", *swept, "--J", str(arguments.J), "--dt", "1e-3"]
    words += ["--T", f"{arguments.steps}e-3", "--engine", "direct"]
    table = Table("durability/sweep-store", ("", "wall s", "processor s", "goal, wall s"))
    with tempfile.TemporaryDirectory() as folder:
        for workers in (1, 2):
            store = Path(folder) / f"{workers}.zarr"
            used = process([*KSDP, *words, "--workers", str(workers), "-o", store])
            of = f"{100 * seeds} cases of J = {arguments.J}, {arguments.steps} steps, --workers {workers}"
            table.row(of, f"{used.wall:.1f}", f"{used.cpu:.1f}", "")
        again = process([*KSDP, *words, "--resume", "-o", store])
        table.row("the same, complete, with --resume", f"{again.wall:.1f}", f"{again.cpu:.1f}", "")
        for name, call in CALLS.items():
            wall, cpu = opened(call, store)
            table.row(f"`{name}`", f"{wall:.2f}", f"{cpu:.2f}", GOAL.get(name, ""))
        files = [Path(at) / name for at, _, names in os.walk(store) for name in names]
        folders = sum(len(names) for _, names, _ in os.walk(store))
        size = sum(file.stat().st_size for file in files)
        table.row(f"{len(files)} files in {folders} folders, {size / 1e6:.1f} MB", "", "", "")
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
