"""Measure every distance between two clouds of a million particles: seconds and memory, each in its own process.

    python benchmarks/million_distances.py [--n 1e6] [--only WORD]

The clouds are the unit ball, and the ball with half of its mass contracted tenfold and all of it moved by 0.1, in 2D
and 3D. Prints the distance between these two, and its floor between two samples of the ball. Seconds are wall seconds
of one distance, after importing and compiling; memory is the peak of the process without the clouds.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from harness import Table, parser

from ksdp_cli.base.parsing import integer
from ksdp_cli.initial.ball import Ball
from ksdp_cli.metrics import (
    binned_w2_squared,
    bound_w2_squared,
    exact_w2_squared,
    moments,
    radial_comparison,
    sliced_w2_squared,
)

Cloud = np.ndarray


def sub(distance: Callable[[Cloud, Cloud], float], n: int) -> Callable[[Cloud, Cloud], float]:
    """``distance`` of the first n particles: the clouds are in random order."""
    return lambda x, y: distance(x[:n], y[:n])


DISTANCES: dict[str, Callable[[Cloud, Cloud], float]] = {
    "moments, all": lambda x, y: moments(x).second_moment - moments(y).second_moment,
    "radial distribution, all": lambda x, y: max(
        abs(row["cloud"] - row["reference"]) for row in radial_comparison(x, y)
    ),
    "sliced, 64 directions, N = 10^5": sub(sliced_w2_squared, 100_000),
    "sliced, all": sliced_w2_squared,
    "binned, B = 20, all": binned_w2_squared,
    "bound, N = 10^5, 64 plans": sub(bound_w2_squared, 100_000),
    "bound, all, 16 plans": bound_w2_squared,
    "exact (certified), N = 10^4": sub(exact_w2_squared, 10_000),
    "exact (certified), N = 3 10^4": sub(exact_w2_squared, 30_000),
}


def clouds(n: int, dim: int) -> tuple[Cloud, Cloud, Cloud]:
    x, y, z = (Ball().draw(n, dim, seed) for seed in (1, 2, 3))
    z[np.random.default_rng(0).random(n) < 0.5] *= np.float32(0.1)
    z[:, 0] += np.float32(0.1)
    return x, y, z


def measured(name: str, n: int, dim: int) -> None:
    """One distance, in this process; prints JSON."""
    distance = DISTANCES[name]
    x, y, z = clouds(n, dim)
    distance(x[:500], y[:500])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    values = [distance(z, y), distance(x, y)]
    wall = (time.perf_counter() - began) / len(values)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(json.dumps([*values, wall, (after - before) / 2**20]))


def cells(name: str, n: int, dim: int) -> list[str]:
    """Seconds of one distance, memory, the distance and its floor, from a process of its own."""
    again = [sys.executable, __file__, "--n", str(n), "--measure", name, str(dim)]
    done = subprocess.run(again, stdout=subprocess.PIPE, text=True, check=True)
    value, floor, wall, memory = json.loads(done.stdout)
    shown = ("", "") if name.startswith(("moments", "radial")) else (f"{value:.4f}", f"{floor:.1e}")
    return [f"{wall:.2g}", f"{memory:.2f}", *shown]


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--n", type=integer, default=1_000_000)
    arguments.add_argument("--only", default="", help="distances whose name contains this")
    arguments.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = arguments.parse_args()
    if options.measure:
        name, dim = options.measure
        return measured(name, options.n, int(dim))
    heads = [head for dim in (2, 3) for head in (f"{dim}D s", "GiB", "value", "same law")]
    table = Table("distances/million-distances", ["distance", *heads])
    for name in [name for name in DISTANCES if options.only in name]:
        table.row(name, *cells(name, options.n, 2), *cells(name, options.n, 3))
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
