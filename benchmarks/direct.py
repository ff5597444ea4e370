"""Speed of the direct pair sum: every built-in kernel, a kernel written like a plugin's, and KeOps on the same formula.

    python benchmarks/direct.py [--J 10000] [--dtype float32] [--repeats 7]

Million pairs a second, the best of several repeats. "plugin" is the blob written in this file: an engine compiles it
from source as it does a built-in one. KeOps (pip install pykeops) runs on the same points in the same process, on all
cores; the first call of each of its formulas compiles for up to a minute. ``x KeOps``
compares all threads of both; ``OMP_NUM_THREADS=1 taskset -c 0`` in front gives one thread of each.
"""

from __future__ import annotations

import argparse
import functools
import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.coulomb import Coulomb
from ksdp_cli.kernels.eq7 import Eq7
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.direct_cpu import DirectCPU
from ksdp_cli.threads import core_count

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


def best(calls: list[Callable[[], Any]], repeats: int) -> list[float]:
    """Shortest wall time of each call in seconds, taken in turns so that a busy machine slows all of them alike."""
    times: list[list[float]] = [[] for _ in calls]
    for call in calls:
        call()  # compiles
    for _ in range(repeats):
        for call, taken in zip(calls, times, strict=True):
            start = time.perf_counter()
            call()
            taken.append(time.perf_counter() - start)
    return [min(taken) for taken in times]


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
    parser.add_argument("--repeats", type=int, default=7)
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
    heads = ("1 thread", f"{cores} threads", "speed-up", "KeOps", "x KeOps", "differs")
    print(f"{'kernel':12}" + "".join(f"{head:>11}" for head in heads))
    kernels = {"blob": Blob, "plugin": Plugin, "eq7": Eq7, "plummer": Plummer, "gaussian": Gaussian, "coulomb": Coulomb}
    for dim in (2, 3):
        x = Ball().draw(options.J, dim, seed=0).astype(options.dtype)
        for name, kernel in kernels.items():
            one = DirectCPU(kernel, (DELTA2,), dim, options.dtype, threads=1)
            every = DirectCPU(kernel, (DELTA2,), dim, options.dtype, threads=cores)
            peer = keops(name, dim, x) if with_peer else None
            calls = [functools.partial(one, x), functools.partial(every, x), *([peer] if peer else [])]
            alone, together, *other = best(calls, options.repeats)
            row = f"{name + f' {dim}D':12}{pairs / alone:11.0f}{pairs / together:11.0f}{alone / together:11.2f}"
            if peer:
                full = 2 * (dim - 1) * math.pi
                gap = np.linalg.norm(peer() / full - every(x)) / np.linalg.norm(every(x))
                row += f"{pairs / other[0]:11.0f}{other[0] / together:11.1f}{gap:11.0e}"
            print(row, flush=True)


if __name__ == "__main__":
    main()
