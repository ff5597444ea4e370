"""Philox 4x32-10 by NumPy, and the integers that Triton's own gives on the device from the noise's counters."""

from __future__ import annotations

from typing import Any

import numpy as np
import triton
import triton.language as tl


def philox(low: Any, high: Any, step: int, stream: int, seed: int) -> Any:
    """(4, n) uint32 of counters (low, high, step, stream), arrays (n,) of uint64, and a 64-bit key."""
    word, half = np.uint64(0xFFFFFFFF), np.uint64(32)
    c = [low, high, np.full_like(low, step), np.full_like(low, stream)]
    key = [seed & 0xFFFFFFFF, (seed >> 32) & 0xFFFFFFFF]
    for _ in range(10):
        one, two = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        k = [np.uint64(part) for part in key]
        c = [(two >> half) ^ c[1] ^ k[0], two & word, (one >> half) ^ c[3] ^ k[1], one & word]
        key = [(part + weyl) & 0xFFFFFFFF for part, weyl in zip(key, (0x9E3779B9, 0xBB67AE85), strict=True)]
    return np.stack(c).astype(np.uint32)


@triton.jit(do_not_specialize=["n", "start", "seed", "stream"])
def words(out, n, start, seed, step, stream, BLOCK: tl.constexpr):
    i = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    particle = (i + start).to(tl.uint64)
    low = (particle & 0xFFFFFFFF).to(tl.uint32)
    high = ((particle >> 32) & 0xFFFF).to(tl.uint32)
    none = tl.zeros_like(low)
    a, b, c, e = tl.philox(seed, low, high, none + tl.load(step).to(tl.uint32), none + tl.cast(stream, tl.uint32))
    tl.store(out + i, a.to(tl.int32, bitcast=True), mask=i < n)
    tl.store(out + n + i, b.to(tl.int32, bitcast=True), mask=i < n)
    tl.store(out + 2 * n + i, c.to(tl.int32, bitcast=True), mask=i < n)
    tl.store(out + 3 * n + i, e.to(tl.int32, bitcast=True), mask=i < n)


def on_device(seed: int, stream: int, step: int, start: int, n: int, device: str) -> Any:
    """(4, n) int32, the bits of the four words of every particle."""
    import torch

    out = torch.empty((4, n), dtype=torch.int32, device=device)
    words[(-(-n // 1024),)](out, n, start, seed, torch.tensor([step], device=device), stream, BLOCK=1024)
    return out
