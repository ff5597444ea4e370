"""Speed of the direct pair sum: every built-in kernel, a kernel written like a plugin's, and KeOps on the same formula.

    python benchmarks/direct.py [--J 10000] [--dtype float32] [--repeats 15]

Million pairs a second, the best of several repeats, taken in turns. "plugin" is the blob written in this file: an
engine compiles it from source as it does a built-in one, and its last column is its speed over the built-in's. KeOps
(pip install pykeops) runs on the same points in the same process; the first call of each of its formulas compiles for
up to a minute. ``x KeOps`` is one thread of ours over one of KeOps, both in processor time, which other load on the
machine disturbs less than wall time. ``speed-up`` is all threads over one in wall time, so it wants a quiet machine.
"""

from __future__ import annotations

import argparse
import functools
import math
import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ["OMP_NUM_THREADS"] = "1"  # KeOps reads it when it loads; our threads are not OpenMP's

from ksdp_cli.base.threads import core_count
from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.coulomb import Coulomb
from ksdp_cli.kernels.eq7 import Eq7
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.engines.direct_cpu import DirectCPU

DELTA2 = 1e-3


class Plugin:
    """The blob, as a third party would write it."""

    @staticmethod
    def g2d(r2: float, delta2: float) -> float:
        return 1.0 / (2.0 * math.pi * (r2 + delta2))

    @staticmethod
    def g3d(r2: float, delta2: float) -> float:
        return 1.0 / (4.0 * math.pi * math.sqrt(r2) * (r2 + delta2))


#: The kernels as KeOps formulas of S = |x_i - x_j|^2, shifted so that the pair of a particle with itself is finite.
KEOPS = {
    ("blob", 2): "Inv({s} + d)",
    ("eq7", 2): "(Inv({s} + d) + d * Log({s} + e) * Inv(Square({s} + d)))",
    ("blob", 3): "Rsqrt({s} + e) * Inv({s} + d)",
    ("eq7", 3): "({s} - d) * Rsqrt({s} + e) * Inv(Square({s} + d))",
    ("plummer", 3): "Inv(({s} + d) * Sqrt({s} + d))",
}


def best(calls: list[Callable[[], Any]], repeats: int) -> list[tuple[float, float]]:
    """Shortest wall time, and processor time of this thread, of each call in seconds, the calls taken in turns."""
    times: list[list[tuple[float, float]]] = [[] for _ in calls]
    for call in calls:
        call()  # compiles
    for _ in range(repeats):
        for call, taken in zip(calls, times, strict=True):
            wall, cpu = time.perf_counter(), time.thread_time()
            call()
            taken.append((time.perf_counter() - wall, time.thread_time() - cpu))
    return [(min(wall for wall, _ in taken), min(cpu for _, cpu in taken)) for taken in times]


def keops(name: str, dim: int, x: np.ndarray) -> Callable[[], np.ndarray] | None:
    """The same sum by KeOps on the CPU, or None when there is no formula for it here."""
    from pykeops.numpy import Genred

    formula = KEOPS.get((name, dim))
    if formula is None:
        return None
    weight = formula.format(s="SqDist(x,y)")
    variables = [f"x = Vi({dim})", f"y = Vj({dim})", "d = Pm(1)", "e = Pm(1)"]
    total = Genred(f"{weight} * (y - x)", variables, reduction_op="Sum", axis=1)
    d, e = np.array([DELTA2], x.dtype), np.array([1e-24], x.dtype)
    return lambda: total(x, x, d, e, backend="CPU")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--J", type=int, default=10_000)
    parser.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    try:
        import pykeops  # noqa: F401

        with_peer = True
    except ImportError:
        print("KeOps is not installed: its column stays empty (pip install pykeops)")
        with_peer = False
    cores = core_count()
    pairs = options.J**2 / 1e6
    print(f"J = {options.J}, {options.dtype}, million pairs a second")
    heads = ("1 thread", f"{cores} threads", "speed-up", "KeOps", "x KeOps", "differs", "x built-in")
    print(f"{'kernel':12}" + "".join(f"{head:>11}" for head in heads))
    kernels = {"blob": Blob, "plugin": Plugin, "eq7": Eq7, "plummer": Plummer, "gaussian": Gaussian, "coulomb": Coulomb}
    for dim in (2, 3):
        x = Ball().draw(options.J, dim, seed=0).astype(options.dtype)
        built_in = functools.partial(DirectCPU(Blob, (DELTA2,), dim, options.dtype, threads=1), x)
        for name, kernel in kernels.items():
            one = functools.partial(DirectCPU(kernel, (DELTA2,), dim, options.dtype, threads=1), x)
            every = functools.partial(DirectCPU(kernel, (DELTA2,), dim, options.dtype, threads=cores), x)
            peer = keops(name, dim, x) if with_peer else None
            other = peer or (built_in if name == "plugin" else None)
            (wall, cpu), (together, _), *rest = best([one, every, *([other] if other else [])], options.repeats)
            row = f"{name + f' {dim}D':12}{pairs / cpu:11.0f}{pairs / together:11.0f}{wall / together:11.2f}"
            if peer:
                full = 2 * (dim - 1) * math.pi
                gap = np.linalg.norm(peer() / full - every()) / np.linalg.norm(every())
                row += f"{pairs / rest[0][1]:11.0f}{rest[0][1] / cpu:11.1f}{gap:11.0e}"
            elif other:
                row += f"{'':33}{rest[0][1] / cpu:11.2f}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
