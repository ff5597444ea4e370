"""Compare the time that `ksdp simulate` predicts at the start with the time it takes: five runs, cold and warm.

    python benchmarks/estimates.py

Each cold run compiles into an empty cache folder. The time taken is the store's, without starting Python and
compiling. The goal is a ratio between 1 / 1.5 and 1.5 on an otherwise idle machine, since the prediction rests on the
first half second. The slow disk waits 0.1 s before every part of a frame.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from pathlib import Path

from harness import KSDP, Table, parser, process

SLOW = """
import sys, time
from ksdp_cli.store.writer import CaseWriter
write = CaseWriter.write
def late(self, *a):
    time.sleep(0.1)
    return write(self, *a)
CaseWriter.write = late
from ksdp_cli.cli.app import main
main()
"""
SNAPSHOTS = ",".join(f"{k * 1e-3:g}" for k in range(1, 201))
RUNS = {
    "200 snapshots": "--J 1000 --dt 2e-4 --snapshots " + SNAPSHOTS,
    "sweep of 6": "--flow laminar2d --A 1:100:6log --J 2000 --dt 1e-4 --T 0.03",
    "tree": "--J 20000 --engine tree --dt 2e-4 --T 0.02",
    "3D": "--dim 3 --M 20 --J 4000 --dt 1e-4 --T 0.02",
    "slow disk, 50 snapshots": "--J 500 --dt 5e-4 --snapshots " + ",".join(SNAPSHOTS.split(",")[:50]),
}
UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def announced(said: str) -> float:
    """Seconds that a run was said to take; NaN where nothing was said."""
    found = re.search(r"about ([\d.e+-]+) (s|min|h),", said)
    return float(found[1]) * UNITS[found[2]] if found else float("nan")


def main() -> None:
    arguments = parser(__doc__).parse_args()
    table = Table("durability/estimates", ("run", "announced s", "took s", "ratio", "goal"))
    for name, options in RUNS.items():
        with tempfile.TemporaryDirectory() as folder:
            begin = (sys.executable, "-c", SLOW) if name.startswith("slow") else KSDP
            for state in ("cold", "warm"):
                file = Path(folder) / "said"
                with file.open("w") as stderr:
                    command = [*begin, "simulate", *options.split(), "-o", "a.zarr", "--overwrite"]
                    environment = os.environ | {"KSDP_CACHE_DIR": str(Path(folder) / "cache")}
                    process(command, cwd=folder, env=environment, stderr=stderr)
                took = json.loads((Path(folder) / "a.zarr" / "zarr.json").read_text())["attributes"]["seconds"]
                said = announced(file.read_text())
                table.row(f"{name}, {state}", f"{said:.2g}", f"{took:.3g}", f"{took / said:.2f}", "0.67 to 1.5")
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
