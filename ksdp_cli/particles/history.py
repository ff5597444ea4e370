"""Which random numbers a run draws: a continued cloud must not meet the Brownian path again that brought it there.

The increments of a run are a function of (key, stream of the case, step, particle). A first run's key is its seed.
Where the initial particles are given, and not drawn with the seed, the same seed may have moved them before: then the
key is a digest of the seed and of the particles themselves. So a continuation of a continuation has yet another key,
and so has a cloud that left ksdp and came back; a run that is resumed, or extended to a later end, keeps its own.
"""

from __future__ import annotations

import hashlib

import numpy as np

from ..initial.base import InitialCloud
from ..initial.stored import StoredCloud, digest
from .problem import Problem

#: Particles that are drawn twice to see whether a law looks at the seed.
PROBE = 64


def noise_key(problem: Problem, seed: int) -> int:
    """The 63-bit key of the Brownian paths of the cases of ``problem`` that have this seed."""
    c, initial = problem.config, problem.initial
    if isinstance(initial, StoredCloud):
        given = initial.digest
    elif _ignores_the_seed(initial, min(c.J, PROBE), c.dim, seed):
        given = digest(initial.draw(c.J, c.dim, seed))
    else:
        return seed
    mixed = hashlib.sha256(f"ksdp noise of a given cloud: {seed}, {given}".encode()).digest()
    return int.from_bytes(mixed[:8], "little") >> 1


def _ignores_the_seed(law: InitialCloud, n: int, dim: int, seed: int) -> bool:
    """Whether a law is one cloud for every seed and stream, as that of a script which reads its particles itself."""
    one, other = law.draw(n, dim, seed), law.draw(n, dim, seed ^ 0x5DEECE66D, stream=1)
    return bool(np.array_equal(one, other))
