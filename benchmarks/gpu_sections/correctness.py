"""Pair sums and noise against references of their own, and whether they repeat to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np

from ksdp_cli.base import rng
from ksdp_cli.particles.engines.direct_gpu import DirectGPU, normals

from .clouds import DELTA2, KERNELS, clouds, error, reference
from .harness import Bench

BOUND = {"float32": 1e-5, "float64": 1e-13}


def pair_sums(bench: Bench) -> None:
    """Each kernel, dimension and type on a ball and a collapsed cloud, then sizes with every kind of rest."""
    particles = bench.size(20_000, 90)
    for dim in (2, 3):
        for name, kernel in KERNELS.items():
            for dtype in BOUND:
                what = f"direct {name} {dim}D {dtype}, J = {particles}"
                bench.row_guard(what, lambda a=(what, kernel, dim, dtype): _sums(bench, *a, particles))  # type: ignore[misc]
    for name, dim, dtype in (("blob", 2, "float32"), ("gaussian", 3, "float32"), ("blob", 3, "float64")):
        what = f"direct {name} {dim}D {dtype}, J = 1, 16, 17, {bench.size(4097, 130)}"
        bench.row_guard(what, lambda a=(what, name, dim, dtype): _rests(bench, *a))  # type: ignore[misc]
    bench.row_guard("direct, targets of their own", lambda: _targets(bench))


def _tensor(bench: Bench, cloud: np.ndarray, dtype: str) -> Any:
    import torch

    return torch.from_numpy(cloud).to(bench.device, getattr(torch, dtype))


def _sums(bench: Bench, what: str, kernel: Any, dim: int, dtype: str, particles: int) -> None:
    import torch

    engine, found, same = DirectGPU(kernel, (DELTA2,), dim, dtype), {}, True
    for kind, cloud in clouds(particles, dim).items():
        x = _tensor(bench, cloud, dtype)
        force = engine(x)
        same = same and torch.equal(force, engine(x))
        found[kind] = error(force, reference(kernel, dim, x))
    note = ", ".join(f"{kind} {value:.1e}" for kind, value in found.items())
    bench.check(what, max(found.values()), BOUND[dtype], f"{note}; {_bits(same)}", same)


def _rests(bench: Bench, what: str, name: str, dim: int, dtype: str) -> None:
    import torch

    kernel, found, same = KERNELS[name], {}, True
    engine = DirectGPU(kernel, (DELTA2,), dim, dtype)
    for particles in (1, 16, 17, bench.size(4097, 130)):
        x = _tensor(bench, clouds(particles, dim)["ball"], dtype)
        force = engine(x)
        same = same and torch.equal(force, engine(x))
        found[particles] = error(force, reference(kernel, dim, x))
    note = ", ".join(f"{particles}: {value:.1e}" for particles, value in found.items())
    bench.check(what, max(found.values()), BOUND[dtype], f"{note}; {_bits(same)}", same)


def _targets(bench: Bench) -> None:
    x = _tensor(bench, clouds(bench.size(20_000, 90), 2)["ball"], "float64")
    at = x[3:20].contiguous()
    force = DirectGPU(KERNELS["eq7"], (DELTA2,), 2, "float64")(x, at)
    bench.check(
        "direct, 17 targets of their own, eq7 2D float64", error(force, reference(KERNELS["eq7"], 2, x, at)), 1e-13
    )


def noise(bench: Bench) -> None:
    """Philox integers bit for bit against NumPy's, and normal numbers against the CPU's."""
    count = bench.size(1 << 17, 1500)
    worst, told = 0.0, []
    addresses = (
        (0, rng.noise_stream(0), 0, 0),
        (5, rng.noise_stream(1), 70_000, 100_000),
        (2**62 + 12_345, rng.noise_stream(3), 2**31 + 7, 2**32 - 5),
        (2**31, 7, 2**32 - 1, 0),
    )
    for seed, stream, step, start in addresses:
        for d in (2, 3):
            there = normals(seed, stream, step, start, count, d, device=bench.device).cpu().numpy()
            off = float(np.abs(there - rng.normals(seed, stream, step, start, count, d)).max())
            worst = max(worst, off if np.isfinite(off) else np.inf)
            told.append(f"{off:.1e}")
    bench.check("normal numbers against the CPU's, 4 addresses x 2D, 3D", worst, 3e-6, " ".join(told))
    bench.row_guard("Philox integers", lambda: _integers(bench, count, addresses))


def _integers(bench: Bench, count: int, addresses: Any) -> None:
    """All four words of every particle."""

    from .philox import on_device, philox

    wrong = 0
    for seed, stream, step, start in addresses:
        there = on_device(seed, stream, step, start, count, bench.device).cpu().numpy().view(np.uint32)
        particle = np.arange(count, dtype=np.uint64) + np.uint64(start)
        low, high = particle & np.uint64(0xFFFFFFFF), (particle >> np.uint64(32)) & np.uint64(0xFFFF)
        here = philox(low, high, step, stream, seed)
        wrong += int((there != here).sum())
    bench.check("Philox integers that differ from NumPy's", wrong, 0, f"{4 * count * len(addresses)} integers")


def _bits(same: bool) -> str:
    return "repeats to the bit" if same else "DOES NOT REPEAT"
