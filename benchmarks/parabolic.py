"""Time a step of parabolic chemistry, field and gradient at the particles, beside the published sum over all modes.

    python benchmarks/parabolic.py [--threads 2] [--repeats 5] [--only NAME] [--record]

Clouds are unit balls, in free space or a periodic box. The error is that of the gradient by the mesh against sums over
all modes of the same boxes, on 256 particles, relative l2. Processor time is that of all threads: two free cores take
half of it. The published method (Wang, Xin and Zhang, J. Sci. Comput. 102 (2025) 75) sums every mode for every
particle, O(P H^d) a step; here by compiled loops with one exponential for each particle, axis and step, in one box.
Where it takes long it is timed for a part of the particles and scaled.
"""

from __future__ import annotations

import math
import os
import time
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # its threads wait actively, which counts as processor time

import numpy as np
from harness import Table, best_of, parser
from numba import njit

from ksdp_cli.base.threads import parallel_map
from ksdp_cli.chemistry.aliasing import aliasing_error
from ksdp_cli.initial.ball import Ball
from ksdp_cli.particles.mesh.nested import Nested, choose

#: Dimension, particles, modes an axis, accuracy, side of a periodic box.
CASES = {
    "3D, 10^4, H = 24, periodic": (3, 10**4, 24, 3e-3, 8.0),
    "3D, 10^5, H = 32": (3, 10**5, 32, 3e-3, None),
    "3D, 10^5, H = 64": (3, 10**5, 64, 3e-3, None),
    "3D, 10^6, H = 64": (3, 10**6, 64, 3e-3, None),
    "2D, 10^6, H = 256": (2, 10**6, 256, 1e-3, None),
}
#: Particles of the published sum that are timed, times modes; at most.
MOST = 3e8


@njit(nogil=True, cache=True, fastmath=True)
def waves(x, step, out):  # type: ignore[no-untyped-def]
    """exp(i step j x), j = -H/2 .. H/2 - 1, by products."""
    turn = np.exp(1j * step * x)
    half = out.size // 2
    out[half] = 1.0
    for j in range(1, half):
        out[half + j] = out[half + j - 1] * turn
        out[half - j] = np.conj(out[half + j])
    out[0] = np.conj(out[half * 2 - 1] * turn)


@njit(nogil=True, cache=True, fastmath=True)
def spread_modes(x, step, rho):  # type: ignore[no-untyped-def]
    """Add exp(-i q x) of every particle (n, 3) to the modes (H, H, H)."""
    count = rho.shape[0]
    a, b, c = np.empty(count, np.complex128), np.empty(count, np.complex128), np.empty(count, np.complex128)
    for p in range(x.shape[0]):
        waves(-x[p, 0], step, a)
        waves(-x[p, 1], step, b)
        waves(-x[p, 2], step, c)
        for i in range(count):
            for j in range(count):
                t = a[i] * b[j]
                for k in range(count):
                    rho[i, j, k] += t * c[k]


@njit(nogil=True, cache=True, fastmath=True)
def read_modes(x, step, alpha, gradient):  # type: ignore[no-untyped-def]
    """The gradient (n, 3) of sum alpha exp(i q x) at every particle."""
    count = alpha.shape[0]
    a, b, c = np.empty(count, np.complex128), np.empty(count, np.complex128), np.empty(count, np.complex128)
    for p in range(x.shape[0]):
        waves(x[p, 0], step, a)
        waves(x[p, 1], step, b)
        waves(x[p, 2], step, c)
        gx = gy = gz = 0.0
        for i in range(count):
            for j in range(count):
                value, slope = 0j, 0j
                for k in range(count):
                    term = alpha[i, j, k] * c[k]
                    value += term
                    slope += term * (k - count // 2)
                t = a[i] * b[j]
                gx -= (i - count // 2) * (t * value).imag
                gy -= (j - count // 2) * (t * value).imag
                gz -= (t * slope).imag
        gradient[p, 0], gradient[p, 1], gradient[p, 2] = step * gx, step * gy, step * gz


def published(x: np.ndarray, side: float, count: int, threads: int) -> float:
    """Processor seconds of one step of the published sum, spread and read, for all particles ``x`` (P, 3)."""
    part = min(len(x), max(threads, int(MOST / count**3)))
    step, pieces = 2 * math.pi / side, np.array_split(x[:part].astype(np.float64), threads)
    rho = np.zeros((threads, count, count, count), complex)
    alpha = np.ones((count, count, count), complex)

    def task(k: int) -> None:
        spread_modes(pieces[k], step, rho[k])
        read_modes(pieces[k], step, alpha, np.empty_like(pieces[k]))

    spread_modes(pieces[0][:1], step, rho[0])
    read_modes(pieces[0][:1], step, alpha, np.empty((1, 3)))
    before = time.process_time()
    parallel_map(task, range(threads), threads)
    return (time.process_time() - before) * len(x) / part


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--repeats", type=int, default=5)
    arguments.add_argument("--only")
    options = arguments.parse_args()
    columns = ["case", "boxes", "splines", "error", "wall ms", "processor ms", "published, processor ms", "ratio"]
    table = Table("engine/parabolic", columns, 13)
    for name in [options.only] if options.only else CASES:
        dim, particles, count, accuracy, side = CASES[name]
        x = Ball().draw(particles, dim, 1)
        axes = [np.ascontiguousarray(axis) for axis in x.T]
        sizes = choose(dim, 2.0, 0.1, accuracy, side=side, count=count)
        nested = Nested([0.0] * dim, sizes, 0.1, options.threads)
        field: list[Any] = nested.advanced(nested.zeros(), axes, 20.0, 10.0, 0.1)

        def step(nested: Nested = nested, field: Any = field, axes: Any = axes) -> None:
            nested.at(nested.advanced(field, axes, 20.0, 10.0, 0.1), axes)

        used = best_of(step, options.repeats)
        other = published(x, sizes.side, count, options.threads) if dim == 3 else None
        table.row(
            name, sizes.boxes, f"{sizes.order}, {sizes.over:g}", f"{aliasing_error(nested, field, axes):.0e}",
            f"{1e3 * used.wall:.0f}", f"{1e3 * used.cpu:.0f}",
            f"{1e3 * other:.3g}" if other else None, f"{other / used.cpu:.0f}" if other else None,
        )  # fmt: skip
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
