"""The whole command ``ksdp compare`` for two clouds of J = 10^4: wall and processor seconds, memory.

    python benchmarks/compare_time.py [--repeats 3]

Process start, imports, reading, exact W2, floor and intervals, sliced W2, moments, radial distribution. The clouds are
the paper's longest runs, 1000 steps in 2D, and the first row simulates another one for the floor: of fewer particles
where the stores say that they took more than 5 s, as on a busy machine. The goal is 8 s on two quiet cores; ``cpu`` are
processor seconds of all threads, of which two cores need half at best.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

KSDP = str(Path(sys.executable).with_name("ksdp"))
SIMULATE = ["simulate", "--T", "0.1"]
FIRST = "two clouds; a run for the floor"
COMMANDS = {
    FIRST: ["0.zarr", "1.zarr"],
    "the same again, the run is found": ["0.zarr", "1.zarr"],
    "halves for the floor": ["0.zarr", "1.zarr", "--floor", "halves"],
    "a second reference, N = 1e4": ["0.zarr", "1.zarr", "--floor", "2.zarr"],
    "the same, w2 alone": ["0.zarr", "1.zarr", "--floor", "2.zarr", "--metrics", "w2"],
    "N = 2000, 5 sub-samples": ["0.zarr", "1.zarr", "--floor", "2.zarr", "--N", "2000", "--repeats", "5"],
    "every metric": ["0.zarr", "1.zarr", "--floor", "2.zarr", "--metrics", "w2,sliced,radial,binned,bound"],
}


def measure(words: list[str], folder: Path) -> tuple[float, float, float]:
    """Wall and processor seconds and largest memory [GiB] of one command."""
    began = time.perf_counter()
    child = subprocess.Popen([KSDP, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(words)} failed with status {status}")
    return time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in ("0", "1", "2"):
            measure([*SIMULATE, "--seed", seed, "-o", f"{seed}.zarr"], folder)
        measure(["compare", *COMMANDS["every metric"], "--N", "100"], folder)  # the cache of compiled code
        print(f"{'ksdp compare':34} {'wall s':>8} {'cpu s':>8} {'GiB':>6}")
        for title, words in COMMANDS.items():
            for _ in range(options.repeats):
                if title == FIRST:
                    shutil.rmtree(folder / "runs", ignore_errors=True)
                print("{:34} {:8.2f} {:8.2f} {:6.2f}".format(title, *measure(["compare", *words], folder)), flush=True)
