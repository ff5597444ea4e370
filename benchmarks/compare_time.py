"""Time the command ``ksdp compare`` for two clouds of J = 10^4: wall and processor seconds, memory.

    python benchmarks/compare_time.py [--repeats 3]

Includes process start, imports, reading, exact W2, floor and intervals, sliced W2, moments, radial distribution. The
clouds are the paper's longest runs, 1000 steps in 2D. The first row also simulates a run for the floor, with fewer
particles if the stores took more than 5 s, as on a busy machine. The goal is 8 s on two quiet cores; ``cpu`` counts
the processor seconds of all threads, of which two cores need half at best.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from harness import KSDP, Table, Usage, parser, process

SIMULATE = ["simulate", "--T", "0.1"]
FIRST = "two clouds of J = 10^4, a run for the floor simulated"
COMMANDS = {
    FIRST: ["0.zarr", "1.zarr"],
    "the same again, the run is found": ["0.zarr", "1.zarr"],
    "halves for the floor": ["0.zarr", "1.zarr", "--floor", "halves"],
    "a second reference, N = 10^4": ["0.zarr", "1.zarr", "--floor", "2.zarr"],
    "the same, w2 alone": ["0.zarr", "1.zarr", "--floor", "2.zarr", "--metrics", "w2"],
    "N = 2000, 5 sub-samples": ["0.zarr", "1.zarr", "--floor", "2.zarr", "--N", "2000", "--repeats", "5"],
    "every metric": ["0.zarr", "1.zarr", "--floor", "2.zarr", "--metrics", "w2,sliced,radial,binned,bound"],
}


def measure(words: list[str], folder: Path) -> Usage:
    """One command as a whole process."""
    return process([*KSDP, *words], cwd=folder)


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--repeats", type=int, default=3)
    arguments = options.parse_args()
    table = Table("distances/compare-time", ("`ksdp compare`", "wall s", "processor s", "memory"))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for seed in ("0", "1", "2"):
            measure([*SIMULATE, "--seed", seed, "-o", f"{seed}.zarr"], folder)
        measure(["compare", *COMMANDS["every metric"], "--N", "100"], folder)  # the cache of compiled code
        for title, words in COMMANDS.items():
            times = []
            for _ in range(arguments.repeats):
                if title == FIRST:
                    shutil.rmtree(folder / "runs", ignore_errors=True)
                times.append(measure(["compare", *words], folder))
            used = min(times)
            table.row(title, f"{used.wall:.1f}", f"{used.cpu:.1f}", f"{used.memory:.2f} GiB")
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
