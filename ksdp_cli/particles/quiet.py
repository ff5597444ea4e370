"""``--sampling quiet``: Sobol points at the start, and opposite Brownian increments for neighbours.

Every particle has the law that it has with independent ones, and the limit of many particles is the same; sums over
many particles fluctuate less. The start: Sobol points with a random digital shift, mapped by the initial law (Dick and
Pillichshammer, Digital Nets and Sequences, 2010). The paths: at each step particles are paired in the order of a tree
over the cloud, and the second of a pair takes minus the increment of the first, so that what a pair carries through a
surface much larger than their distance adds up to nothing. The pairs are a function of the positions at the start of
the step. Antithetic neighbours are the simplest case of array-RQMC (L'Ecuyer, Lécot and Tuffin, Operations Research 56
(2008) 958).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..base import rng
from ..base.shapes import Cloud
from ..errors import ConfigError
from ..initial.base import InitialCloud
from ..initial.points import Points
from ..initial.stored import StoredCloud
from .problem import Case, Problem

#: Digits of a coordinate of a Sobol point.
BITS = 32
#: The step whose random numbers shift the Sobol points; initial laws draw from steps 0 and 1.
SHIFT = 2
#: Points of one call of SciPy, a power of 2: a whole cloud would take four copies in float64.
PIECE = 1 << 15


def initial_positions(problem: Problem, case: Case) -> Cloud:
    """The initial cloud (J, d) of ``case``, as `drawn`."""
    c = problem.config
    return drawn(problem.initial, c.init, c.sampling, c.J, c.dim, case.seed, case.stream)


def drawn(law: InitialCloud, name: str, sampling: str, n: int, dim: int, seed: int, stream: int) -> Cloud:
    """Draw ``n`` particles of ``law`` (n, dim). Rows of a `StoredCloud` or of `Points` are taken in any sampling.

    Raises `ConfigError` for a law without `placed` in a quiet run.
    """
    if sampling == "random" or isinstance(law, StoredCloud | Points):
        return law.draw(n, dim, seed, stream=stream)
    placed: Callable[[NDArray[np.float64], int], Cloud] | None = getattr(law, "placed", None)
    if placed is None:
        raise ConfigError(
            f"--sampling quiet with initial cloud {name!r}, which only draws random particles",
            "give the law a method placed(u, dim), or use --sampling random",
        )
    return placed(sobol(seed, stream, n, dim + 1), dim)


def sobol(seed: int, stream: int, n: int, d: int) -> NDArray[np.float64]:
    """Return the first ``n`` Sobol points (n, d) in (0, 1)^d, shifted digitally at random by (``seed``, ``stream``)."""
    from scipy.stats.qmc import Sobol

    digits = 2.0**BITS
    sequence, points = Sobol(d, scramble=False, bits=BITS), np.empty((n, d))
    shift = (rng.uniforms(seed, stream, SHIFT, 0, 1, d) * digits).astype(np.uint64)
    for low in range(0, n, PIECE):
        part = points[low : low + PIECE]
        part[:] = (((sequence.random(PIECE)[: len(part)] * digits).astype(np.uint64) ^ shift) + 0.5) / digits
    return points


def opposite(noise: NDArray[np.floating], x: Cloud) -> NDArray[np.floating]:
    """Return ``noise`` (J, d) with opposite increments for neighbours.

    The second particle of each pair of neighbours in ``x`` (J, d) has minus the increment of the first. With an odd J
    one particle has no partner.
    """
    from .tree.build import grow, plant

    tree = plant(x, 2)
    grow(tree, 0, tree.depth, 0)
    pairs = tree.index[: len(x) // 2 * 2]
    paired = noise.copy()
    paired[pairs[1::2]] = -noise[pairs[::2]]
    return paired
