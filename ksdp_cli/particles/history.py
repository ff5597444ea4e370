"""The key of a run's random numbers: a continued cloud must not repeat the Brownian path that produced it.

The increments of a run are a function of (key, stream of the case, step, particle). A first run's key is its seed. If
the initial particles are given instead of drawn, the same seed may have moved them before; the key is then a digest of
the seed and of the particles. Each continuation thus has its own key, also for a cloud that was exported and read back.
A run that is resumed, or extended to a later end, keeps its key.
"""

from __future__ import annotations

import hashlib

import numpy as np

from ..initial.base import InitialCloud
from ..initial.stored import StoredCloud, digest
from .problem import Problem

#: Number of particles drawn twice to test whether a law depends on the seed.
PROBE = 64


def noise_key(problem: Problem, seed: int) -> int:
    """The 63-bit key of the Brownian paths for the cases of ``problem`` with this ``seed``."""
    c, initial = problem.config, problem.initial
    if isinstance(initial, StoredCloud):
        particles = initial.digest
    elif _ignores_the_seed(initial, min(c.J, PROBE), c.dim, seed):
        particles = digest(initial.draw(c.J, c.dim, seed))
    else:
        return seed
    mixed = hashlib.sha256(f"ksdp noise of a given cloud: {seed}, {particles}".encode()).digest()
    return int.from_bytes(mixed[:8], "little") >> 1


def _ignores_the_seed(law: InitialCloud, n: int, dim: int, seed: int) -> bool:
    """Whether a law returns one cloud for every seed and stream, for example particles read from a file."""
    one, other = law.draw(n, dim, seed), law.draw(n, dim, seed ^ 0x5DEECE66D, stream=1)
    return bool(np.array_equal(one, other))
