"""Counter-based random numbers: Philox 4x32-10, keyed by seed, stream, step and particle.

A number depends on its address alone: there is no state to save, and the split of the work over threads, chunks or
devices does not change it. Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011.

Address: key = the 64-bit seed; counter = (particle low, particle high 16 bits and draw, step, stream), for up to 2^48
particles, 2^32 steps and 2^32 streams. The GPU (`particles/engines/direct_gpu.py`) draws the same integers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numba import uint32, uint64
from numpy.typing import DTypeLike, NDArray

from .compiled import PLAIN, njit
from .threads import core_count, parallel_map

#: Four words of 32 bits.
Words: TypeAlias = tuple[int, int, int, int]
#: Streams are 32-bit. A case draws its initial cloud from stream s and its Brownian path from 2^31 + s, where s is its
#: index among the cases with the same seed (`base.grids.streams`).
NOISE = 1 << 31

MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
HALF = np.uint64(32)
#: Particles in one task: about a millisecond.
PIECE = 1 << 15


def noise_stream(stream: int) -> int:
    """Return the stream of the Brownian path of a case whose initial cloud comes from ``stream``."""
    return NOISE + stream


def bridge_key(key: int, node: int) -> int:
    """Return the 64-bit key of the random numbers that halve a Brownian increment at ``node`` >= 1 of its binary tree.

    The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), a bijection for each node: the keys of two nodes,
    or of a node and the path itself, are equal with probability 2^-64.
    """
    z = (key + node * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return z ^ (z >> 31)


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
def _normals(out: NDArray[np.floating], start: int, step: int, stream: int, k0: int, k1: int) -> None:
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
def _uniforms(out: NDArray[np.floating], start: int, step: int, stream: int, k0: int, k1: int) -> None:
    """Fill ``out`` with 53-bit uniforms in (0, 1), two from each Philox block."""
    n, d = out.shape
    for i in range(n):
        for pair in range((d + 1) // 2):
            a, b, c, e = _words(uint64(start) + uint64(i), uint32(pair + 1), step, stream, k0, k1)
            out[i, 2 * pair] = _unit(a, b)
            if 2 * pair + 1 < d:
                out[i, 2 * pair + 1] = _unit(c, e)


def _fill(
    function: Callable[..., None], out: NDArray[np.floating], seed: int, stream: int, step: int, start: int
) -> None:
    key = np.uint32(seed & 0xFFFFFFFF), np.uint32((seed >> 32) & 0xFFFFFFFF)

    def piece(first: int) -> None:
        function(out[first : first + PIECE], start + first, step, stream, *key)

    parallel_map(piece, range(0, len(out), PIECE), core_count())


def normals(
    seed: int, stream: int, step: int, start: int, n: int, d: int, dtype: DTypeLike = np.float32
) -> NDArray[np.floating]:
    """Standard normal numbers (n, d), d = 2 or 3, of particles ``start`` to ``start + n`` at ``step``.

    The numbers have float32 precision in any ``dtype``, so that a float64 run follows the same Brownian paths.
    """
    if d not in (2, 3):
        raise ValueError(f"d = {d}: normals are drawn for 2 or 3 dimensions")
    out = np.empty((n, d), dtype)
    _fill(_normals, out, seed, stream, step, start)
    return out


def uniforms(seed: int, stream: int, step: int, start: int, n: int, d: int) -> NDArray[np.float64]:
    """Uniform numbers in (0, 1), shape (n, d), float64, of particles ``start`` to ``start + n`` at ``step``.

    Of 53 bits: multiples of 2^-53 from 1/2 on, odd multiples of 2^-54 below; neither 0 nor 1 is one of them.
    None of them is shared with `normals` of the same address.
    """
    out = np.empty((n, d))
    _fill(_uniforms, out, seed, stream, step, start)
    return out
