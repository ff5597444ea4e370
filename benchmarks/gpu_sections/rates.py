"""Pairs a second of the direct sum as a share of what its own machine code, and the formula, allow; and its peers."""

from __future__ import annotations

import os
from typing import Any

from ksdp_cli.particles.engines.direct_gpu import DirectGPU
from ksdp_cli.particles.kernel_compiler.source import array_function

from .clouds import DELTA2, KERNELS, clouds, error
from .hardware import clock_under
from .harness import Bench

#: Kernel, dimension and type, what matters most first; and the share of the bound that is aimed at.
CASES = (
    ("blob", 2, "float32", 75.0),
    ("eq7", 2, "float32", 75.0),
    ("blob", 3, "float32", 75.0),
    ("gaussian", 2, "float32", None),
    ("plummer", 3, "float32", None),
    ("eq7", 3, "float32", None),
    ("gaussian", 3, "float32", None),
    ("coulomb", 2, "float32", None),
    ("coulomb", 3, "float32", None),
    ("plummer", 2, "float32", None),
    ("blob", 2, "float64", None),
    ("blob", 3, "float64", None),
)


def pairs(bench: Bench) -> None:
    """By the device's events, median, at the clock that is read while the sum runs."""
    for case in CASES:
        name, dim, dtype, _ = case
        what = f"pairs/s, {name} {dim}D {dtype}"
        bench.row_guard(what, lambda w=what, c=case: _rate(bench, w, *c))  # type: ignore[misc]


def _input(bench: Bench, particles: int, dim: int, dtype: str = "float32") -> Any:
    import torch

    return torch.from_numpy(clouds(particles, dim)["ball"]).to(bench.device, getattr(torch, dtype))


def _rate(bench: Bench, what: str, name: str, dim: int, dtype: str, goal: float | None) -> None:
    x = _input(bench, bench.size(200_000 if dtype == "float32" else 100_000, 60), dim, dtype)
    axes = x.T.contiguous()[None]
    engine = DirectGPU(KERNELS[name], (DELTA2,), dim, dtype)
    rate = len(x) ** 2 / bench.seconds(lambda: engine.parts(axes, axes), 5, 1.0)
    if bench.smoke:
        bench.goal(what, rate, "/s", goal, least=True)
        return
    clock = clock_under(lambda: engine.parts(axes, axes), 10 if dtype == "float32" else 4)
    told, share = _bounds(bench, name, dim, dtype, rate, clock)
    bench.goal(what, rate, "/s", note=f"{clock / 1e6:.0f} MHz; {told}")
    if goal is not None and share is not None:
        bench.goal(f"{what}: share of the bound of its own SASS", share, "%", goal, least=True)


def _bounds(bench: Bench, name: str, dim: int, dtype: str, rate: float, clock: float) -> tuple[str, float | None]:
    """What the rate is of the two bounds, at the clock under load where it is known; the share of the first."""
    try:
        import sass

        known = {"clock": clock} if clock == clock else {}
        found = sass.bound(
            name, dim, dtype, sm=bench.facts.get("sm", 90), multiprocessors=bench.facts.get("multiprocessors"), **known
        )
    except Exception as why:  # no disassembler there: the rate stands without its bound
        return f"no bound: {type(why).__name__}: {why}"[:160], None
    share = 100 * rate / found["sass"]
    told = ", ".join(f"{100 * rate / value:.0f} % of {value:.3g} ({kind})" for kind, value in found.items())
    return told, share


def peers(bench: Bench) -> None:
    """The same sum, 2D blob in float32, by what else a user could take."""
    x = _input(bench, bench.size(100_000, 60), 2)
    engine = DirectGPU(KERNELS["blob"], (DELTA2,), 2, "float32")
    own, force = bench.seconds(lambda: engine(x), 5), engine(x)
    bench.goal(f"ksdp, J = {len(x)}", 1e3 * own, "ms")

    def beside(name: str, call: Any) -> None:
        seconds = bench.seconds(call, 3, 2.0)
        off = error(call(), force)
        bench.goal(
            f"{name}: time over ksdp's", seconds / own, "x", note=f"{1e3 * seconds:.3g} ms, {off:.1e} from ksdp's"
        )

    bench.row_guard("eager torch", lambda: beside("eager torch", lambda: _eager(x)))
    bench.row_guard("KeOps", lambda: _keops(bench, x, beside))
    if not bench.smoke:
        bench.row_guard("torch.compile", lambda: _compiled(x, beside))


def _block(at: Any, x: Any, g: Any) -> Any:
    away = x[None] - at[:, None]
    w = g(away.square().sum(2) + 1e-24, DELTA2)
    return (w[..., None] * away).sum(1)


def _eager(x: Any, block: Any = _block, rows: int = 2000) -> Any:
    import torch

    g = array_function(KERNELS["blob"], 2, torch)
    return torch.cat([block(x[first : first + rows], x, g) for first in range(0, len(x), rows)])


def _compiled(x: Any, beside: Any) -> None:
    import math

    import torch

    @torch.compile(dynamic=False)
    def fused(at: Any, x: Any) -> Any:
        away = x[None] - at[:, None]
        w = 1.0 / (2.0 * math.pi * (away.square().sum(2) + DELTA2))
        return (w[..., None] * away).sum(1)

    rows = 2000
    beside("torch.compile", lambda: torch.cat([fused(x[k : k + rows], x) for k in range(0, len(x), rows)]))


def _keops(bench: Bench, x: Any, beside: Any) -> None:
    """Only where it found the card's compiler: elsewhere it goes to the CPU without a word."""
    import math

    try:
        import pykeops
        from pykeops import config
    except ImportError as why:
        bench.tell("KeOps", f"not installed: {why}")
        return
    names = (
        "gpu_available",
        "use_cuda",
        "cuda_available",
        "CUDA_PATH",
        "cuda_include_path",
        "numpy_found",
        "torch_found",
    )
    found = {name: getattr(config, name) for name in names if hasattr(config, name)}
    told = f"{pykeops.__version__}, CUDA_PATH {os.environ.get('CUDA_PATH')}, config {found}"
    bench.tell("KeOps", told)
    if bench.smoke or not any(bool(found.get(name)) for name in ("gpu_available", "use_cuda", "cuda_available")):
        bench.tell("KeOps", "it would run on the CPU: no figure")
        return
    from pykeops.torch import LazyTensor

    def call() -> Any:
        away = LazyTensor(x[None, :, :]) - LazyTensor(x[:, None, :])
        w = 1.0 / (2.0 * math.pi * ((away**2).sum(-1) + DELTA2))
        return (w * away).sum(1)

    beside("KeOps", call)
