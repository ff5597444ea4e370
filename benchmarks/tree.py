"""The tree engine: error, time of one evaluation and growth with J, beside the direct sum of the same machine and run.

    python benchmarks/tree.py [--largest 1e6] [--threads 2] [--repeats 3]

``direct`` is the time of the direct sum, all of it up to J = 2e4 and scaled from a sample of targets beyond. Columns
``cpu`` are processor seconds of all threads, which other load on the machine disturbs less than wall time.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import resource
import time

import numpy as np

from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.direct_cpu import DirectCPU
from ksdp_cli.particles.tree import TreeEngine

ARGS = (1e-3,)
ACCURACY = {2: 1e-4, 3: 1e-3}
KERNEL = {2: Blob, 3: Plummer}


def cloud(name: str, count: int, dim: int) -> np.ndarray:
    """The unit ball; 90 % of it within delta; its radii cubed, a collapsing profile; two needles of aspect 10."""
    x = Ball().draw(count, dim, seed=1)
    if name == "clump":
        x[np.random.default_rng(0).random(count) < 0.9] *= ARGS[0] ** 0.5
    if name == "cusp":
        x *= np.linalg.norm(x, axis=1)[:, None] ** 2
    if name == "vee":
        x[:, 1:] *= 0.1
        x[:, 0] += 1.0
        side = np.where(np.arange(count) % 2 == 0, 0.5, -0.5).astype(np.float32)
        x[:, 0], x[:, 1] = x[:, 0] - side * x[:, 1], x[:, 1] + side * x[:, 0]
    return x


def direct_seconds(x: np.ndarray, threads: int) -> float:
    """Wall time of the direct sum."""
    dim, count = x.shape[1], min(len(x), 20_000)
    engine = DirectCPU(KERNEL[dim], ARGS, dim, "float32", threads)
    engine(x[:500])
    begin = time.perf_counter()
    engine(x[:count])
    return (time.perf_counter() - begin) * (len(x) / count) ** 2


def measure(x: np.ndarray, threads: int, repeats: int) -> tuple[float, float, dict[str, float]]:
    """Best wall and processor time of an evaluation once the setting has been found, and the report."""
    dim = x.shape[1]
    engine = TreeEngine(KERNEL[dim], ARGS, dim, "float32", accuracy=ACCURACY[dim], threads=threads)
    for _ in range(4):  # finds the setting; three steps down at most
        engine(x)
    wall, cpu = math.inf, math.inf
    for _ in range(repeats):
        begin, used = time.perf_counter(), time.process_time()
        engine(x)
        wall, cpu = min(wall, time.perf_counter() - begin), min(cpu, time.process_time() - used)
    return wall, cpu, engine.report()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=float, default=1e6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    print("cloud  d         J   wall s    cpu s  direct s   ratio    error      max order growth")
    for dim in (2, 3):
        for name in ("ball", "clump", "cusp", "vee"):
            last: tuple[int, float] | None = None
            for count in (1000, 3000, 10_000, 30_000, 100_000, 1_000_000, 10_000_000):
                if count > options.largest or (count < 100_000 and count > 10_000 and name != "ball"):
                    continue
                x = cloud(name, count, dim)
                wall, cpu, report = measure(x, options.threads, options.repeats)
                direct = direct_seconds(x, options.threads)
                growth = math.log(cpu / last[1]) / math.log(count / last[0]) if last else math.nan
                last = (count, cpu)
                print(f"{name:6} {dim} {count:9d} {wall:8.4f} {cpu:8.4f} {direct:9.4f} {direct / wall:7.2f} "
                      f"{report['error']:8.1e} {report['max_error']:8.1e} {report['order']:5.1f} {growth:6.2f}",
                      flush=True)  # fmt: skip
    print(f"largest memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    if importlib.util.find_spec("finufft") is None:
        print("finufft is not installed; no comparison with it")


if __name__ == "__main__":
    main()
