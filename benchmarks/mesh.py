"""Compare the mesh engine of the plane with the tree and a sum by finufft, on five clouds, in one run.

    python benchmarks/mesh.py [--count 1e6] [--accuracy 1e-4] [--threads 2] [--repeats 3] [--only NAME] [--record]

Times are the least processor milliseconds of one force, all threads together, once each engine has found its setting.
finufft (pip install finufft) uses the fewest modes that reach the accuracy on that cloud; empty if 4096 x 4096 do
not. Errors are relative l2, measured on a sample by a direct sum in float64.
"""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from functools import partial

import numpy as np
from harness import Table, in_turns, parser
from tree import ARGS, KERNEL, fourier

from ksdp_cli.initial.ball import Ball
from ksdp_cli.particles.engines.direct_cpu import compile_direct
from ksdp_cli.particles.mesh.engine import MeshEngine
from ksdp_cli.particles.tree.accuracy import sample_of, sampled_error
from ksdp_cli.particles.tree.engine import TreeEngine

CLOUDS = {
    "ball": "ball",
    "clump": "90 % within delta",
    "cubed": "radii cubed",
    "V": "V",
    "stretched": "ball, 6 : 1",
}
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


def peer(x: np.ndarray, accuracy: float, threads: int) -> tuple[Callable[[], np.ndarray] | None, float]:
    """The sum by finufft with the fewest modes that reach the accuracy, and its error."""
    exact = compile_direct(KERNEL[2], 2, "float64")
    for modes in MODES:
        call = fourier(x, modes, accuracy, threads)
        sample = sample_of(len(x), 0)
        error, _ = sampled_error(
            exact, ARGS, x, call()[sample], sample, lambda task, items: [task(item) for item in items]
        )
        if error <= accuracy:
            return call, error
    return None, math.inf


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--count", type=float, default=1e6)
    arguments.add_argument("--accuracy", type=float, default=1e-4)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--repeats", type=int, default=3)
    arguments.add_argument("--only")
    options = arguments.parse_args()
    with_peer = importlib.util.find_spec("finufft") is not None
    columns = ["cloud", *(f"{who} {what}" for who in ("mesh", "tree", "finufft") for what in ("ms", "error"))]
    table = Table("engine/mesh", [*columns, "tree / mesh", "finufft / mesh", "cells a delta"], 13)
    for name in [options.only] if options.only else CLOUDS:
        x = cloud(name, int(options.count))
        common = {"accuracy": options.accuracy, "threads": options.threads}
        mesh = MeshEngine(KERNEL[2], ARGS, "float32", **common)
        tree = TreeEngine(KERNEL[2], ARGS, 2, "float32", **common)
        calls: list[Callable[[], np.ndarray]] = [partial(mesh, x), partial(tree, x)]
        for call in calls:
            for _ in range(4):  # finds the setting; three steps down at most
                call()
        errors = [mesh.report()["error"], tree.report()["error"]]
        if with_peer:
            fastest, error = peer(x, options.accuracy, options.threads)
            if fastest:
                calls.append(fastest)
                errors.append(error)
        times = in_turns(calls, options.repeats)
        told: list[str | None] = []
        for used, error in zip(times, errors, strict=True):
            told += [f"{1e3 * used.cpu:.0f}", f"{error:.0e}"]
        ratios: list[str | None] = [f"{used.cpu / times[0].cpu:.1f}" for used in times[1:]]
        if len(times) < 3:
            told, ratios = [*told, None, None], [*ratios, None]
        table.row(CLOUDS[name], *told, *ratios, f"{mesh.report()['cells_a_delta']:.1f}")
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
