"""Speed of the direct pair sum: every built-in kernel, a kernel written like a plugin's, and KeOps on the same formula.

    python benchmarks/direct.py [--J 10000] [--dtype float32] [--repeats 15]

Million pairs a second, the best of several repeats, taken in turns. "plugin" is the blob written in this file: an
engine compiles it from source as it does a built-in one, and its last column is its speed over the built-in's. KeOps
(pip install pykeops) runs on the same points in the same process; the first call of each of its formulas compiles for
up to a minute. ``x KeOps`` is one thread of ours over one of KeOps, both in processor time, which other load on the
machine disturbs less than wall time. ``speed-up`` is all threads over one in wall time, so it wants a quiet machine.
"""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Callable

import numpy as np

os.environ["OMP_NUM_THREADS"] = "1"  # KeOps reads it when it loads; ksdp is told its own number
os.environ.setdefault("KSDP_THREADS", str(len(os.sched_getaffinity(0))))

from harness import Table, in_turns, parser

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
    options = parser(__doc__)
    options.add_argument("--J", type=int, default=10_000)
    options.add_argument("--dtype", default="float32", choices=["float32", "float64"])
    options.add_argument("--repeats", type=int, default=15)
    arguments = options.parse_args()
    try:
        import pykeops  # noqa: F401

        with_peer = True
    except ImportError:
        print("KeOps is not installed: its column stays empty (pip install pykeops)")
        with_peer = False
    cores = core_count()
    pairs = arguments.J**2 / 1e6
    heads = ("kernel", "one thread", f"{cores} threads", "speed-up", "KeOps", "ratio", "differs", "of built-in")
    table = Table("engine/direct", heads)
    kernels = {"blob": Blob, "plugin": Plugin, "eq7": Eq7, "plummer": Plummer, "gaussian": Gaussian, "coulomb": Coulomb}
    for dim in (2, 3):
        x = Ball().draw(arguments.J, dim, seed=0).astype(arguments.dtype)
        built_in = functools.partial(DirectCPU(Blob, (DELTA2,), dim, arguments.dtype, threads=1), x)
        for name, kernel in kernels.items():
            one = functools.partial(DirectCPU(kernel, (DELTA2,), dim, arguments.dtype, threads=1), x)
            every = functools.partial(DirectCPU(kernel, (DELTA2,), dim, arguments.dtype, threads=cores), x)
            peer = keops(name, dim, x) if with_peer else None
            other = peer or (built_in if name == "plugin" else None)
            alone, together, *rest = in_turns([one, every, *([other] if other else [])], arguments.repeats)
            cells = [f"{pairs / alone.cpu:.0f}", f"{pairs / together.wall:.0f}", f"{alone.wall / together.wall:.2f}"]
            if peer:
                full = 2 * (dim - 1) * math.pi
                gap = np.linalg.norm(peer() / full - every()) / np.linalg.norm(every())
                cells += [f"{pairs / rest[0].cpu:.0f}", f"{rest[0].cpu / alone.cpu:.1f}", f"{gap:.0e}", ""]
            else:
                cells += ["", "", "", f"{rest[0].cpu / alone.cpu:.2f}" if rest else ""]
            table.row(f"{dim}D {name}", *cells)
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
