"""Measure every distance between two clouds of a million particles: seconds and memory, each in its own process.

    python benchmarks/million_distances.py [--n 1e6] [--dim 2] [--only WORD]

The clouds are the unit ball, and the ball with half of its mass contracted tenfold and all of it moved by 0.1. Prints
the distance between these two, and its floor between two samples of the ball. Seconds count both distances, after
importing and compiling; memory is the peak of the process without the clouds.
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
    "sliced, 64 directions, N = 1e5": sub(sliced_w2_squared, 100_000),
    "sliced, 64 directions, all": sliced_w2_squared,
    "binned, B = 20, all": binned_w2_squared,
    "bound, N = 1e5": sub(bound_w2_squared, 100_000),
    "bound, all": bound_w2_squared,
    "exact (certified), N = 1e4": sub(exact_w2_squared, 10_000),
    "exact (certified), N = 3e4": sub(exact_w2_squared, 30_000),
    "exact (emd), N = 1e4": sub(lambda x, y: exact_w2_squared(x, y, "emd"), 10_000),
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
    before = resource.getrusage(resource.RUSAGE_SELF)
    began = time.perf_counter()
    values = [distance(z, y), distance(x, y)]
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(json.dumps([*values, wall, cpu, (after.ru_maxrss - before.ru_maxrss) / 2**20]))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=float, default=1e6)
    parser.add_argument("--dim", type=int, default=2)
    parser.add_argument("--only", default="", help="distances whose name contains this")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measured(options.measure, int(options.n), options.dim)
        sys.exit()
    print(f"n = {options.n:g}, {options.dim}D    distance  same law    wall s   cpu s   GiB")
    for name in [name for name in DISTANCES if options.only in name]:
        again = [sys.executable, __file__, "--n", str(options.n), "--dim", str(options.dim), "--measure", name]
        done = subprocess.run(again, capture_output=True, text=True)
        if done.returncode:
            print(f"{name:32} failed: {done.stderr.strip().splitlines()[-1]}", flush=True)
            continue
        value, floor, wall, cpu, memory = json.loads(done.stdout)
        print(f"{name:32} {value:10.3e} {floor:10.3e} {wall:8.2f} {cpu:8.2f} {memory:6.2f}", flush=True)
