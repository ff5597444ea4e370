"""The same sum, 2D blob in float32, by what else a user could take."""

from __future__ import annotations

import json
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ksdp_cli.particles.engines.direct_gpu import DirectGPU
from ksdp_cli.particles.kernel_compiler.source import array_function

from .child import run
from .clouds import DELTA2, KERNELS, error
from .harness import Bench
from .rates import cloud_on

#: Targets that eager and compiled torch take at a time: 1.6 GB an array of pairs.
ROWS = 2000


def peers(bench: Bench) -> None:
    """Times beside ours; KeOps last and in a process of its own, for it may take the process down."""
    x = cloud_on(bench, bench.size(100_000, 60), 2)
    engine = DirectGPU(KERNELS["blob"], (DELTA2,), 2, "float32")
    own, force = bench.seconds(lambda: engine(x), 5), engine(x)
    bench.goal(f"ksdp, J = {len(x)}", 1e3 * own, "ms")

    def beside(name: str, seconds: float, found: Any) -> None:
        off = error(found, force)
        note = f"{1e3 * seconds:.3g} ms, {off:.1e} from ksdp's"
        bench.goal(f"{name}: time over ksdp's", seconds / own, "x", note=note)

    def timed(name: str, call: Any) -> None:
        beside(name, bench.seconds(call, 3, 2.0), call())

    bench.row_guard("eager torch", lambda: timed("eager torch", lambda: _eager(x)))
    if bench.smoke:
        return
    bench.row_guard("torch.compile", lambda: timed("torch.compile", _compiled(x)))
    for route in ("numpy", "torch"):
        bench.row_guard(f"KeOps, {route}", lambda r=route: _keops(bench, x, r, beside))  # type: ignore[misc]


def _block(at: Any, x: Any, g: Any) -> Any:
    away = x[None] - at[:, None]
    w = g(away.square().sum(2) + 1e-24, DELTA2)
    return (w[..., None] * away).sum(1)


def _eager(x: Any) -> Any:
    import torch

    g = array_function(KERNELS["blob"], 2, torch)
    return torch.cat([_block(x[first : first + ROWS], x, g) for first in range(0, len(x), ROWS)])


def _compiled(x: Any) -> Any:
    import torch

    @torch.compile(dynamic=False)
    def fused(at: Any, x: Any) -> Any:
        away = x[None] - at[:, None]
        w = 1.0 / (2.0 * math.pi * (away.square().sum(2) + DELTA2))
        return (w[..., None] * away).sum(1)

    return lambda: torch.cat([fused(x[k : k + ROWS], x) for k in range(0, len(x), ROWS)])


def _keops(bench: Bench, x: Any, route: str, beside: Any) -> None:
    import torch

    with tempfile.TemporaryDirectory() as name:
        points, forces = Path(name) / "points.npy", Path(name) / "forces.npy"
        np.save(points, x.cpu().numpy())
        script = Path(__file__).with_name("keops.py")
        code, said = run([script, route, points, forces, DELTA2], 40.0, python=True)
        last = said.strip().splitlines()[-1] if said.strip() else ""
        if code or not forces.exists():
            bench.tell(f"KeOps, {route}", f"no figure, exit {code}: {' | '.join(said.split(chr(10))[-12:])}"[:900])
            return
        told = json.loads(last)
        bench.tell(f"KeOps, {route}", told["about"])
        beside(f"KeOps, {route}", told["seconds"], torch.from_numpy(np.load(forces)).to(x.device))
