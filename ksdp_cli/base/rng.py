"""Counter-based random numbers: Philox 4x32-10, keyed by seed, stream, step and particle.

A number is a function of its address alone, so there is no state to save, and how the work is cut over threads,
chunks or devices cannot change it. Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011.

Address: key = the 64-bit seed; counter = (particle low, particle high 16 bits and draw, step, stream), so that there
are 2^48 particles, 2^32 steps and 2^32 streams. The GPU (`particles/direct_gpu.py`) draws the same integers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numba import uint32, uint64
from numpy.typing import DTypeLike, NDArray

from .compiled import PLAIN, njit
from .threads import core_count, spread

#: Four words of 32 bits.
Words: TypeAlias = tuple[int, int, int, int]
#: Streams are 32-bit. The initial cloud of stream s of a seed is drawn from it, its Brownian path from 2^31 + s; s is
#: the place of a case among those of its seed (`base.grids.streams`).
NOISE = 1 << 31

MULTIPLIER_0, MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
WEYL_0, WEYL_1 = np.uint32(0x9E3779B9), np.uint32(0xBB67AE85)
HALF = np.uint64(32)
#: Particles in one piece of work: about a millisecond.
PIECE = 1 << 15


def noise_stream(stream: int) -> int:
    """The stream of the Brownian paths of a case whose initial cloud is drawn from ``stream``."""
    return NOISE + stream


def bridge_key(key: int, node: int) -> int:
    """The 64-bit key of the numbers that halve a Brownian increment at ``node`` >= 1 of its binary tree.

    The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), a bijection for each node: keys of different
    nodes, and that of the path itself, meet by a chance of 2^-64.
    """
    z = (key + node * 0x9E3779B97F4A7C15) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    return z ^ (z >> 31)


@njit(inline="always")
def philox(c0: int, c1: int, c2: int, c3: int, k0: int, k1: int) -> Words:
    """Ten rounds of Philox 4x32 on uint32 words: counter (c0..c3), key (k0, k1)."""
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
    """Box-Muller on 24-bit uniforms: |normal| <= 5.888, which one draw in 2.6e8 would exceed.

    The uniform of the radius is (k + 1/2) 2^-24 in float32: above 1/2 that is rounded to an even k or k + 1, so that
    its last bit is not used there, and the radius is 0 where k is the largest, one draw in 2^24.
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
    """A 53-bit k as a number in (0, 1): (k + 1/2) 2^-53, and k 2^-53 from 1/2 on, where float64 has no half of it."""
    k = float(uint64(high >> 5) * uint64(1 << 26) + uint64(low >> 6))
    return (k + 0.5 if k < 2.0**52 else k) * 2.0**-53


@njit(**PLAIN)
def _uniforms(out: NDArray[np.floating], start: int, step: int, stream: int, k0: int, k1: int) -> None:
    """53-bit uniforms in (0, 1): two to a Philox block."""
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

    spread(piece, range(0, len(out), PIECE), core_count())


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
