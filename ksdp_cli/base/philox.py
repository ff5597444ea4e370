"""Philox 4x32-10 compiled, and the numbers made of its words; `rng` gives the addresses."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numba import uint32, uint64
from numpy.typing import NDArray

from .compiled import PLAIN, njit

#: Four words of 32 bits.
Words: TypeAlias = tuple[int, int, int, int]
MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
HALF = np.uint64(32)


@njit(inline="always")
def philox(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> Words:
    """Apply ten rounds of Philox 4x32 to uint32 words: counter (c0..c3), key (k0, k1)."""
    for _ in range(10):
        p0 = MULTIPLIER_0 * uint64(c0)
        p1 = MULTIPLIER_1 * uint64(c2)
        c0, c1, c2, c3 = uint32(p1 >> HALF) ^ c1 ^ k0, uint32(p1), uint32(p0 >> HALF) ^ c3 ^ k1, uint32(p0)
        k0 = uint32(k0 + WEYL_0)
        k1 = uint32(k1 + WEYL_1)
    return c0, c1, c2, c3


@njit(inline="always")
def _words(particle: int, draw: int, step: int, stream: int, k0: int, k1: int) -> Words:
    high = uint32((particle >> HALF) & uint64(0xFFFF)) | uint32(draw << 16)
    return philox(uint32(particle), high, uint32(step), uint32(stream), k0, k1)


@njit(**PLAIN)
def fill_normals(out: NDArray[np.floating], start: int, step: int, stream: int, k0: int, k1: int) -> None:
    """Fill ``out`` by Box-Muller from 24-bit uniforms: |normal| <= 5.888, which an exact draw exceeds once in 2.6e8.

    The uniform of the radius is (k + 1/2) 2^-24 in float32. Above 1/2 float32 rounds it to an even k or k + 1, so its
    last bit is lost there, and the radius is 0 for the largest k, one draw in 2^24.
    """
    n, d = out.shape
    for i in range(n):
        a, b, c, e = _words(uint64(start) + uint64(i), uint32(0), step, stream, k0, k1)
        radius = math.sqrt(np.float32(-2.0) * math.log((np.float32(a >> 8) + np.float32(0.5)) * np.float32(2.0**-24)))
        angle = np.float32(b >> 8) * np.float32(2.0 * math.pi * 2.0**-24)
        out[i, 0] = radius * math.cos(angle)
        out[i, 1] = radius * math.sin(angle)
        if d == 3:
            radius = math.sqrt(
                np.float32(-2.0) * math.log((np.float32(c >> 8) + np.float32(0.5)) * np.float32(2.0**-24))
            )
            out[i, 2] = radius * math.cos(np.float32(e >> 8) * np.float32(2.0 * math.pi * 2.0**-24))


@njit(inline="always")
def _unit(high: int, low: int) -> float:
    """Map a 53-bit k to (0, 1): (k + 1/2) 2^-53 below 1/2, and k 2^-53 from 1/2 on, where float64 lacks the half."""
    k = float(uint64(high >> 5) * uint64(1 << 26) + uint64(low >> 6))
    return (k + 0.5 if k < 2.0**52 else k) * 2.0**-53


@njit(**PLAIN)
def fill_uniforms(out: NDArray[np.floating], start: int, step: int, stream: int, k0: int, k1: int) -> None:
    """Fill ``out`` with 53-bit uniforms in (0, 1), two from each Philox block."""
    n, d = out.shape
    for i in range(n):
        for pair in range((d + 1) // 2):
            a, b, c, e = _words(uint64(start) + uint64(i), uint32(pair + 1), step, stream, k0, k1)
            out[i, 2 * pair] = _unit(a, b)
            if 2 * pair + 1 < d:
                out[i, 2 * pair + 1] = _unit(c, e)
