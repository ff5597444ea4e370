"""Measure the tree engine, error, time and growth with J, beside the direct sum and a sum by finufft.

    python benchmarks/tree.py [--largest 1e6] [--threads 2] [--repeats 3]
    python benchmarks/tree.py --crossover

The direct sum is timed up to J = 2e4 and scaled beyond. Processor seconds are those of all threads, which other load on
the machine disturbs less than wall time; growth is the power of J by which they grew from the size before. ``finufft``
is the same sum in 2D by non-uniform Fourier transforms (pip install finufft), in processor seconds on one thread, with
the fewest modes that reach the accuracy on this cloud; empty: 4096 x 4096 do not.

``--crossover`` prints direct over tree in processor time of one thread, for several J and accuracies. `auto` has one
rule for all clouds: it changes over near 1 in 2D, between 0.7 and 1.7 in 3D.
"""

from __future__ import annotations

import importlib.util
import itertools
import math
import time
from collections.abc import Callable

import numpy as np
from harness import Table, best_of, in_turns, parser

from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.engines.direct_cpu import DirectCPU, compile_direct
from ksdp_cli.particles.tree.accuracy import sample_of, sampled_error
from ksdp_cli.particles.tree.engine import TreeEngine

ARGS = (1e-3,)
ACCURACY = {2: 1e-4, 3: 1e-3}
KERNEL = {2: Blob, 3: Plummer}
CLOUDS = {"ball": "ball", "clump": "90 % within delta", "cusp": "radii cubed", "vee": "V"}


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


def measure(x: np.ndarray, threads: int, repeats: int) -> tuple[float, float, float]:
    """Best wall and processor time of an evaluation once the setting has been found, and its error."""
    dim = x.shape[1]
    engine = TreeEngine(KERNEL[dim], ARGS, dim, "float32", accuracy=ACCURACY[dim], threads=threads)
    for _ in range(4):  # finds the setting; three steps down at most
        engine(x)
    wall, cpu = best_of(lambda: engine(x), repeats)[:2]
    return wall, cpu, engine.report()["error"]


def fourier(x: np.ndarray, modes: int, accuracy: float, threads: int = 1) -> Callable[[], np.ndarray]:
    """The 2D sum of blob by a Fourier series with ``modes`` terms an axis.

    The force between two points is multiplied by a window that is 1 up to the diameter of the cloud and 0 at half the
    period; its coefficients come from a grid, the sums over particles from two kinds of non-uniform transform.
    """
    import finufft

    centre = (x.min(0) + x.max(0)) / 2
    reach = 2 * float(np.linalg.norm(x - centre, axis=1).max())
    period = 2.5 * reach
    grid = (np.arange(modes) / modes - 0.5) * period
    r2 = grid[:, None] ** 2 + grid[None] ** 2
    ramp = np.clip((np.sqrt(r2) - reach) / (period / 2 - reach), 0.0, 1.0)
    window = 0.5 * np.cos(np.pi * ramp) + 0.5 - np.sin(2 * np.pi * ramp) * np.sin(np.pi * ramp) ** 2 / 9
    weight = np.where(r2 < (period / 2) ** 2, window / (2 * np.pi * (r2 + ARGS[0])), 0.0)

    def coefficients(axis: np.ndarray) -> np.ndarray:
        return np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(-axis * weight))).astype(np.complex64) / modes**2

    table = np.stack([coefficients(grid[:, None]), coefficients(grid[None])])
    table[:, 0], table[:, :, 0] = 0, 0  # the wave that has no partner of the other sign
    one = np.ones(len(x), np.complex64)
    common = {"eps": accuracy / 10, "nthreads": threads}

    def force() -> np.ndarray:
        angle = (2 * np.pi / period) * (x - centre)
        a, b = np.ascontiguousarray(angle[:, 0]), np.ascontiguousarray(angle[:, 1])
        total = finufft.nufft2d1(a, b, one, (modes, modes), isign=-1, **common)
        return finufft.nufft2d2(a, b, table * total, isign=1, **common).real.T

    return force


def fourier_seconds(x: np.ndarray, repeats: int) -> float | None:
    """Processor time of `fourier` with the modes that it needs; None when 4096 are too few."""
    exact = compile_direct(KERNEL[2], 2, "float64")
    for modes in (64, 96, 128, 160, 192, 224, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048, 4096):
        call = fourier(x, modes, ACCURACY[2])
        sample = sample_of(len(x), 0)
        error, _ = sampled_error(
            exact, ARGS, x, call()[sample], sample, lambda task, items: [task(item) for item in items]
        )
        if error <= ACCURACY[2]:
            return best_of(call, repeats).cpu
    return None


def crossover() -> Table:
    """Direct over tree in the processor time of one thread."""
    sizes = (2000, 4000, 8000, 16_000, 32_000)
    table = Table("engine/crossover", ["cloud", "d", "accuracy", *(f"J = {size}" for size in sizes)])
    for dim, accuracy, name in itertools.product((2, 3), (1e-2, 1e-3, 1e-4), ("ball", "cusp")):
        cells = []
        for size in sizes:
            x = cloud(name, size, dim)
            direct = DirectCPU(Blob, ARGS, dim, "float32", 1)
            tree = TreeEngine(Blob, ARGS, dim, "float32", accuracy=accuracy, threads=1)
            for _ in range(4):
                tree(x)
            direct(x[:500])
            slow, fast = in_turns([lambda e=direct, x=x: e(x), lambda e=tree, x=x: e(x)], 3)
            cells.append(f"{slow.cpu / fast.cpu:.2f}")
        table.row(CLOUDS[name], dim, f"{accuracy:.0e}", *cells)
    return table


def forces(largest: float, threads: int, repeats: int) -> Table:
    """One force on each cloud, with the power of J by which the processor time grew from the size before."""
    with_peer = importlib.util.find_spec("finufft") is not None
    if not with_peer:
        print("finufft is not installed: its column stays empty (pip install finufft)")
    heads = ["wall s", "error", "direct / tree", "tree, processor s", "growth", "finufft, processor s"]
    table = Table("engine/tree", ["cloud", "d", "J", *heads])
    for dim, name in itertools.product((2, 3), CLOUDS):
        last = math.nan
        for power in (4, 5, 6, 7):
            if (count := 10**power) > largest:
                break
            x = cloud(name, count, dim)
            wall, cpu, error = measure(x, threads, repeats)
            faster = direct_seconds(x, threads) / wall
            peer = f"{seconds:.3g}" if dim == 2 and with_peer and (seconds := fourier_seconds(x, repeats)) else ""
            growth = "" if math.isnan(last) else f"{math.log10(cpu / last):.2f}"
            last = cpu
            cells = (f"{wall:.2g}", f"{error:.0e}", f"{faster:.2g}", f"{cpu:.2g}", growth, peer)
            table.row(CLOUDS[name], dim, f"10^{power}", *cells)
    return table


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--largest", type=float, default=1e6)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--crossover", action="store_true")
    options = arguments.parse_args()
    table = crossover() if options.crossover else forces(options.largest, options.threads, options.repeats)
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
