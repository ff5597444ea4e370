"""Compare one process of one thread, of two threads, and two workers, for reproductions and comparisons: time, numbers.

    python benchmarks/workers.py [--target laminar2d-time] [--seeds 2] [--N 1e4] [--record]

``ksdp reproduce`` at the quick scale, and ``ksdp compare`` with exact distances of three clouds in space, thrice;
each is a whole process of the command line, in turns, with the start and imports of the workers. Speeds are those
against one process of one thread, and numbers those of two threads and of workers.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

import numpy as np
from harness import KSDP, Table, Usage, parser, process


def run(words: list[str], folder: Path, told: Path, threads: int) -> Usage:
    """A whole command in ``folder``, what it prints in the file ``told``."""
    with open(told, "w") as out:
        environment = os.environ | {"KSDP_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
        return process([*KSDP, *words, "--json"], cwd=folder, stdout=out, env=environment)


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
    ways = {"1 thread": (1, []), "2 threads": (2, []), "2 workers": (2, ["--workers", "2"])}
    columns = ["", *(name for way in ways for name in (f"{way}, s", "processor s", "speed")), "numbers equal"]
    table = Table("sweeps/workers", columns, 14)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clouds = np.random.default_rng(0).standard_normal((3, int(3 * asked.N), 3)).astype(np.float32)
        for place, cloud in zip("abc", clouds, strict=True):
            np.save(folder / f"{place}.npy", cloud)
        compare = ["compare", "a.npy", "b.npy", "--floor", "c.npy", "--metrics", "w2", "--N", str(int(asked.N))]
        reproduce = ["reproduce", asked.target, "--seeds", str(asked.seeds)]
        for words in (compare, reproduce):
            cells, first = [], 0.0
            for way, (threads, more) in ways.items():
                own = ["-o", way] if words is reproduce else []
                used = run([*words, *own, *more], folder, folder / f"{way}.json", threads)
                first = first or used.wall
                cells += [f"{used.wall:.1f}", f"{used.cpu:.1f}", f"{first / used.wall:.2f}"]
            same = numbers(folder / "2 threads.json") == numbers(folder / "2 workers.json")
            shown = " ".join(words[:2] if words is reproduce else ["compare", *words[-2:]])
            table.row(f"`ksdp {shown}`", *cells, "yes" if same else "no")
    if asked.record:
        print(table.record())


if __name__ == "__main__":
    main()
