"""Pairs a second of the direct sum as a share of what its own machine code, and the formula, allow."""

from __future__ import annotations

from typing import Any

from ksdp_cli.particles.engines.direct_gpu import DirectGPU

from .clouds import DELTA2, KERNELS, clouds
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


def cloud_on(bench: Bench, particles: int, dim: int, dtype: str = "float32") -> Any:
    import torch

    return torch.from_numpy(clouds(particles, dim)["ball"]).to(bench.device, getattr(torch, dtype))


def _rate(bench: Bench, what: str, name: str, dim: int, dtype: str, goal: float | None) -> None:
    x = cloud_on(bench, bench.size(200_000 if dtype == "float32" else 100_000, 60), dim, dtype)
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
