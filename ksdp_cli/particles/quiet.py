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

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..base import rng
from ..base.shapes import Cloud
from ..errors import ConfigError
from ..initial.base import InitialCloud
from .problem import Case, Problem

#: Digits of a coordinate of a Sobol point.
BITS = 32
#: The step whose random numbers shift the Sobol points; initial laws draw from steps 0 and 1.
SHIFT = 2


def initial_cloud(problem: Problem, case: Case) -> Cloud:
    """Draw the initial cloud (J, d) of ``case``, as `drawn`."""
    c = problem.config
    return drawn(problem.initial, c.init, c.sampling, c.J, c.dim, case.seed, case.stream)


def drawn(law: InitialCloud, name: str, sampling: str, n: int, dim: int, seed: int, stream: int) -> Cloud:
    """Draw ``n`` particles of ``law`` (n, dim). A given cloud, with rows to take, is taken in any sampling.

    Raises `ConfigError` for a law without `placed` in a quiet run.
    """
    if sampling == "random" or hasattr(law, "count"):
        return law.draw(n, dim, seed, stream=stream)
    if not hasattr(law, "placed"):
        raise ConfigError(
            f"--sampling quiet with initial cloud {name!r}, which only draws random particles",
            "give the law a method placed(u, dim), or use --sampling random",
        )
    placed: Any = law.placed
    x: Cloud = placed(sobol(seed, stream, n, dim + 1), dim)
    return x


def sobol(seed: int, stream: int, n: int, d: int) -> NDArray[np.float64]:
    """The first ``n`` Sobol points (n, d) in (0, 1)^d with the random digital shift of (``seed``, ``stream``)."""
    from scipy.stats.qmc import Sobol

    digits = 2.0**BITS
    points = Sobol(d, scramble=False, bits=BITS).random_base2(max(n - 1, 0).bit_length())[:n]
    shift = (rng.uniforms(seed, stream, SHIFT, 0, 1, d) * digits).astype(np.uint64)
    return np.asarray((((points * digits).astype(np.uint64) ^ shift) + 0.5) / digits)


def opposite(noise: NDArray[np.floating], x: Cloud) -> NDArray[np.floating]:
    """Return ``noise`` (J, d) in which the second particle of each pair of neighbours in ``x`` (J, d) has minus the
    increment of the first. With an odd J one particle has no partner."""
    from .tree.build import grow, plant

    tree = plant(x, 2)
    grow(tree, 0, tree.depth, 0)
    pairs = tree.index[: len(x) // 2 * 2]
    paired = noise.copy()
    paired[pairs[1::2]] = -noise[pairs[::2]]
    return paired
