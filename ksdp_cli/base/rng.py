"""Counter-based random numbers: Philox 4x32-10, keyed by seed, stream, step and particle.

A number depends on its address alone: there is no state to save, and the split of the work over threads, chunks or
devices does not change it. Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, SC 2011.

Address: key = the 64-bit seed; counter = (particle low, particle high 16 bits and draw, step, stream), for up to 2^48
particles, 2^32 steps and 2^32 streams. The GPU (`particles/engines/direct_gpu.py`) draws the same integers. `philox`
is imported with the first draw: Numba takes longer to import than many commands to run.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .threads import core_count, parallel_map

#: Streams are 32-bit. A case draws its initial cloud from stream s and its Brownian path from 2^31 + s, where s is its
#: index among the cases with the same seed (`base.grids.streams`).
NOISE = 1 << 31
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
    from .philox import fill_normals

    out = np.empty((n, d), dtype)
    _fill(fill_normals, out, seed, stream, step, start)
    return out


def uniforms(seed: int, stream: int, step: int, start: int, n: int, d: int) -> NDArray[np.float64]:
    """Uniform numbers in (0, 1), shape (n, d), float64, of particles ``start`` to ``start + n`` at ``step``.

    Of 53 bits: multiples of 2^-53 from 1/2 on, odd multiples of 2^-54 below; neither 0 nor 1 is one of them.
    None of them is shared with `normals` of the same address.
    """
    from .philox import fill_uniforms

    out = np.empty((n, d))
    _fill(fill_uniforms, out, seed, stream, step, start)
    return out
