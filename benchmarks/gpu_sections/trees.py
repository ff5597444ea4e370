"""The tree: its error, its parts, and where it overtakes the direct sum."""

from __future__ import annotations

from functools import partial
from typing import Any

from ksdp_cli.particles.engines.direct_gpu import DirectGPU
from ksdp_cli.particles.tree.gpu import TreeGPU

from .clouds import DELTA2, KERNELS, clouds, error, reference
from .harness import Bench

ACCURACY = {2: 1e-4, 3: 1e-3}


def trees(bench: Bench) -> None:
    """Error against float64, repeats and parts at 1e5 and 1e6; then the crossover."""
    for dim in (2, 3):
        for particles in (100_000, 1_000_000):
            for kind in ("ball", "collapsed"):
                what = f"tree {dim}D {kind}, J = {particles}"
                if bench.smoke and (particles, kind) != (100_000, "ball"):
                    continue
                bench.row_guard(what, lambda a=(what, dim, particles, kind): _tree(bench, *a))  # type: ignore[misc]
    for dim in () if bench.smoke else (2, 3):
        bench.row_guard(f"crossover {dim}D", lambda d=dim: _crossover(bench, d))  # type: ignore[misc]


def _cloud(bench: Bench, particles: int, dim: int, kind: str) -> Any:
    import torch

    return torch.from_numpy(clouds(particles, dim)[kind]).to(bench.device)


def _tree(bench: Bench, what: str, dim: int, particles: int, kind: str) -> None:
    import torch

    x = _cloud(bench, bench.size(particles, 300), dim, kind)
    accuracy = ACCURACY[dim]
    engine = TreeGPU(KERNELS["blob"], (DELTA2,), dim, "float32", accuracy)
    force = engine(x)
    twin = TreeGPU(KERNELS["blob"], (DELTA2,), dim, "float32", accuracy)
    same = torch.equal(force, twin(x))
    sample = torch.arange(0, len(x), max(1, len(x) // 1000), device=x.device)
    off = error(force[sample], reference(KERNELS["blob"], dim, x, x[sample]))
    report = engine.report()
    shown = {
        name: report[name] for name in ("order", "opening", "leaf", "error", "met", "leaves_left_out") if name in report
    }
    note = f"{'repeats to the bit' if same else 'DOES NOT REPEAT'}; {shown}"
    bench.check(f"{what}: error on 1000", off, 1.5 * accuracy, note, same)
    goal = {(2, 1_000_000): 10.0, (3, 1_000_000): 25.0}.get((dim, particles)) if kind == "ball" else None
    bench.goal(f"{what}: force", 1e3 * bench.seconds(lambda: engine(x), 7, 1.0), "ms", goal, f"{shown}")
    if hasattr(engine, "stages"):
        parts = {name: bench.seconds(call, 5, 0.5) for name, call in engine.stages(x).items()}
        told = ", ".join(f"{name} {1e3 * seconds:.2f}" for name, seconds in parts.items())
        bench.goal(f"{what}: its parts", 1e3 * sum(parts.values()), "ms", note=f"{told} ms")


def _crossover(bench: Bench, dim: int) -> None:
    """Time of a force by both, and the first size at which the tree is the faster."""
    told, first = [], None
    for particles in (50_000, 100_000, 200_000, 400_000):
        x = _cloud(bench, particles, dim, "ball")
        direct = DirectGPU(KERNELS["blob"], (DELTA2,), dim, "float32")
        tree = TreeGPU(KERNELS["blob"], (DELTA2,), dim, "float32", ACCURACY[dim])
        for _ in range(3):  # the tuner settles
            tree(x)
        one, other = bench.seconds(partial(direct, x), 5, 0.7), bench.seconds(partial(tree, x), 5, 0.7)
        told.append(f"{particles}: direct {1e3 * one:.2f}, tree {1e3 * other:.2f} ms")
        if first is None and other < one:
            first = particles
    bench.goal(f"crossover {dim}D at {ACCURACY[dim]:g}", float(first or 0), "particles", note="; ".join(told))
