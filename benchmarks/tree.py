"""Measure the tree engine, error, time and growth with J, beside the direct sum and a sum by finufft.

    python benchmarks/tree.py [--largest 1e6] [--threads 2] [--repeats 3]
    python benchmarks/tree.py --crossover

``direct`` is the time of the direct sum, all of it up to J = 2e4 and scaled from a sample of targets beyond. Columns
``cpu`` are processor seconds of all threads, which other load on the machine disturbs less than wall time. ``fourier``
is the same sum in 2D by non-uniform Fourier transforms (pip install finufft), in processor seconds on one thread, with
the fewest modes that reach the accuracy on this cloud; a dash: 4096 x 4096 do not.

``--crossover`` prints direct over tree in processor time of one thread, for several J and accuracies: `auto` changes
over a quarter above 1, because two threads share a direct sum better than a small tree.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
import resource
import time
from collections.abc import Callable

import numpy as np
from harness import best_of, in_turns

from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.engines.direct_cpu import DirectCPU, compile_direct
from ksdp_cli.particles.tree.accuracy import sample_of, sampled_error
from ksdp_cli.particles.tree.engine import TreeEngine

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
    wall, cpu = best_of(lambda: engine(x), repeats)[:2]
    return wall, cpu, engine.report()


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


def fourier_seconds(x: np.ndarray, repeats: int) -> float:
    """Processor time of `fourier` with the modes that it needs; infinite when 4096 are too few."""
    exact = compile_direct(KERNEL[2], 2, "float64")
    for modes in (64, 96, 128, 160, 192, 224, 256, 320, 384, 512, 640, 768, 1024, 1536, 2048, 4096):
        call = fourier(x, modes, ACCURACY[2])
        sample = sample_of(len(x), 0)
        error, _ = sampled_error(
            exact, ARGS, x, call()[sample], sample, lambda task, items: [task(item) for item in items]
        )
        if error <= ACCURACY[2]:
            return best_of(call, repeats).cpu
    return math.inf


def crossover() -> None:
    """Direct over tree in the processor time of one thread."""
    sizes = (2000, 4000, 8000, 16_000, 32_000)
    print("accuracy d cloud " + "".join(f"{size:8d}" for size in sizes))
    for dim in (2, 3):
        for accuracy in (1e-2, 1e-3, 1e-4, 1e-5):
            for name in ("ball", "cusp"):
                row = f"{accuracy:8.0e} {dim} {name:5} "
                for size in sizes:
                    x = cloud(name, size, dim)
                    direct = DirectCPU(Blob, ARGS, dim, "float32", 1)
                    tree = TreeEngine(Blob, ARGS, dim, "float32", accuracy=accuracy, threads=1)
                    for _ in range(4):
                        tree(x)
                    direct(x[:500])
                    slow, fast = in_turns([lambda e=direct, x=x: e(x), lambda e=tree, x=x: e(x)], 3)
                    row += f"{slow.cpu / fast.cpu:8.2f}"
                print(row, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--largest", type=float, default=1e6)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--crossover", action="store_true")
    options = parser.parse_args()
    if options.crossover:
        return crossover()
    with_peer = importlib.util.find_spec("finufft") is not None
    if not with_peer:
        print("finufft is not installed: its column stays empty (pip install finufft)")
    print("cloud  d         J   wall s    cpu s  direct s   ratio   fourier    error      max order growth")
    for dim in (2, 3):
        for name in ("ball", "clump", "cusp", "vee"):
            last: tuple[int, float] | None = None
            for count in (1000, 3000, 10_000, 30_000, 100_000, 1_000_000, 10_000_000):
                if count > options.largest or (count < 100_000 and count > 10_000 and name != "ball"):
                    continue
                x = cloud(name, count, dim)
                wall, cpu, report = measure(x, options.threads, options.repeats)
                direct = direct_seconds(x, options.threads)
                peer = math.inf
                if dim == 2 and with_peer and count >= 10_000:
                    peer = fourier_seconds(x, options.repeats)
                growth = math.log(cpu / last[1]) / math.log(count / last[0]) if last else math.nan
                last = (count, cpu)
                print(f"{name:6} {dim} {count:9d} {wall:8.4f} {cpu:8.4f} {direct:9.4f} {direct / wall:7.2f} "
                      f"{f'{peer:9.4f}' if peer < math.inf else '-':>9} {report['error']:8.1e} "
                      f"{report['max_error']:8.1e} {report['order']:5.1f} {growth:6.2f}", flush=True)  # fmt: skip
    print(f"largest memory of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")


if __name__ == "__main__":
    main()
