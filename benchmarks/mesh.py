"""The mesh engine of the plane beside the tree and a sum by finufft, on five clouds, in one run.

    python benchmarks/mesh.py [--count 1e6] [--accuracy 1e-4] [--threads 2] [--repeats 3] [--only NAME]

Times are the shortest wall and processor milliseconds of one force, once each engine has found its setting; ``fourier``
(pip install finufft) has as few modes as reach the accuracy on that cloud, found beforehand; a dash: 4096 x 4096 do
not. Errors are those that an engine measured on the cloud at its last check, relative l2.
"""

from __future__ import annotations

import argparse
import importlib.util
import math
from collections.abc import Callable

import numpy as np
from tree import ARGS, KERNEL, best, fourier

from ksdp_cli.initial.ball import Ball
from ksdp_cli.particles.engines.direct_cpu import compile_direct
from ksdp_cli.particles.mesh.engine import MeshEngine
from ksdp_cli.particles.tree.accuracy import sample_of, sampled_error
from ksdp_cli.particles.tree.engine import TreeEngine

CLOUDS = ("ball", "clump", "cubed", "V", "stretched")
MODES = (64, 96, 128, 160, 192, 224, 256, 320, 384, 512, 640, 768, 1024, 1280, 1536, 2048, 3072, 4096)


def cloud(name: str, count: int) -> np.ndarray:
    """The unit ball; 90 % of it within delta; its radii cubed; two arms; drawn out 6 : 1."""
    x = Ball().draw(count, 2, seed=1).astype(np.float64)
    random = np.random.default_rng(0)
    if name == "clump":
        x[random.random(count) < 0.9] *= ARGS[0] ** 0.5
    if name == "cubed":
        x *= np.linalg.norm(x, axis=1)[:, None] ** 2
    if name == "V":
        along = 2 * random.random(count) - 1
        x = 0.3 * x + np.stack([along, np.abs(along)], 1)
    if name == "stretched":
        x[:, 0] *= 6
    return x.astype(np.float32)


def peer(x: np.ndarray, accuracy: float, threads: int) -> tuple[Callable[[], np.ndarray] | None, float, int]:
    """The sum by finufft with the fewest modes that reach the accuracy, its error, and the modes."""
    exact = compile_direct(KERNEL[2], 2, "float64")
    for modes in MODES:
        call = fourier(x, modes, accuracy, threads)
        sample = sample_of(len(x), 0)
        error, _ = sampled_error(exact, ARGS, x, call(), sample, lambda task, items: [task(item) for item in items])
        if error <= accuracy:
            return call, error, modes
    return None, math.inf, 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=float, default=1e6)
    parser.add_argument("--accuracy", type=float, default=1e-4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only")
    options = parser.parse_args()
    with_peer = importlib.util.find_spec("finufft") is not None
    print("wall / processor ms      mesh             tree             fourier    tree/mesh     fourier/mesh   errors")
    for name in [options.only] if options.only else CLOUDS:
        x = cloud(name, int(options.count))
        common = {"accuracy": options.accuracy, "threads": options.threads}
        mesh = MeshEngine(KERNEL[2], ARGS, "float32", **common)
        tree = TreeEngine(KERNEL[2], ARGS, 2, "float32", **common)
        calls: list[Callable[[], np.ndarray]] = [lambda e=mesh, x=x: e(x), lambda e=tree, x=x: e(x)]
        for call in calls:
            for _ in range(4):  # finds the setting; three steps down at most
                call()
        errors = [mesh.report()["error"], tree.report()["error"]]
        if with_peer:
            fastest, error, modes = peer(x, options.accuracy, options.threads)
            errors.append(error)
            if fastest:
                calls.append(fastest)
        times = [best(call, options.repeats) for call in calls]
        while len(times) < 3:
            times.append((math.inf, math.inf))
        ratios = [[t / own for t, own in zip(other, times[0], strict=True)] for other in times[1:]]
        print(f"{name:10} {options.count:9.0e}"
              + "".join(f"{1e3 * wall:8.0f} /{1e3 * cpu:6.0f} " for wall, cpu in times)
              + "".join(f"{wall:7.2f} /{cpu:5.2f} " for wall, cpu in ratios)
              + "  " + " ".join(f"{error:.1e}" for error in errors)
              + f"  {mesh.report()['cells_a_delta']:.1f} cells a delta" + (f", {modes} modes" if with_peer else ""),
              flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
