"""Compare two workers of one thread with one process of two threads, for reproductions and comparisons: time, numbers.

    python benchmarks/workers.py [--target laminar2d-time] [--seeds 2] [--N 1e4] [--record]

``ksdp reproduce`` at the quick scale, and ``ksdp compare`` with exact distances of three clouds in space, thrice;
each is a whole process of the command line, in turns, with the start and imports of the workers.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
from harness import KSDP, Table, Usage, parser, process


def run(words: list[str], folder: Path, told: Path) -> Usage:
    """A whole command in ``folder``, what it prints in the file ``told``."""
    with open(told, "w") as out:
        return process([*KSDP, *words, "--json"], cwd=folder, stdout=out)


def numbers(told: Path) -> object:
    """What must be equal of a document: everything but times, seconds and places."""
    document = json.loads(told.read_text())
    keys = ("at", "N", "ours_each_seed", "floor", "excess")
    return [[row[key] for key in keys] for row in document["table"]] if "table" in document else document


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--target", default="laminar2d-time")
    arguments.add_argument("--seeds", type=int, default=2)
    arguments.add_argument("--N", type=float, default=1e4)
    asked = arguments.parse_args()
    columns = ["", "seconds", "processor s", "by workers, seconds", "processor s", "speed", "numbers equal"]
    table = Table("sweeps/workers", columns, 14)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clouds = np.random.default_rng(0).standard_normal((3, int(3 * asked.N), 3)).astype(np.float32)
        for place, cloud in zip("abc", clouds, strict=True):
            np.save(folder / f"{place}.npy", cloud)
        compare = ["compare", "a.npy", "b.npy", "--floor", "c.npy", "--metrics", "w2", "--N", str(int(asked.N))]
        reproduce = ["reproduce", asked.target, "--seeds", str(asked.seeds)]
        for words in (compare, reproduce):
            own = [[], []] if words is compare else [["-o", "alone"], ["-o", "shared"]]
            alone = run([*words, *own[0]], folder, folder / "alone.json")
            shared = run([*words, *own[1], "--workers", "2"], folder, folder / "shared.json")
            same = numbers(folder / "alone.json") == numbers(folder / "shared.json")
            shown = " ".join(words[:2] if words is reproduce else ["compare", *words[-2:]])
            times = [f"{value:.1f}" for used in (alone, shared) for value in (used.wall, used.cpu)]
            table.row(f"`ksdp {shown}`", *times, f"{alone.wall / shared.wall:.2f}", "yes" if same else "no")
    if asked.record:
        print(table.record())


if __name__ == "__main__":
    main()
