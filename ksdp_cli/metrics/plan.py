"""What a comparison will cost and which particles it will use, said before it starts."""

from __future__ import annotations

from collections.abc import Sequence

from ..shapes import Cloud
from ..threads import core_count
from .approximate import BINS
from .comparison import checked_sizes, require
from .panel import BLOCKS, LARGEST_SLICED
from .wasserstein import SECONDS_PER_PAIR, w2_memory

#: Seconds below which nothing is said of the cost; seconds a particle, a pair of cells, a particle.
LONG, SECONDS_SLICED, SECONDS_BINNED, SECONDS_BOUND = 1.0, 1e-5, 8e-7, 4e-5


def announce(
    metrics: Sequence[str],
    cloud: Cloud,
    reference: Cloud,
    second: Cloud | None,
    *,
    n: int | None,
    repeats: int | None,
    estimator: str,
) -> list[str]:
    """Sentences: the cost of the exact distance when it takes more than a second, and every sub-sampling.

    Raises what `compare_clouds` raises for such clouds and sizes.
    """
    require(cloud, reference, second)
    told = []
    halves = second is None
    sizes = {"cloud": len(cloud), "reference": len(reference)}
    if second is not None:
        sizes["second reference"] = len(second)
    fewest = min(len(cloud), len(reference) // (2 if halves else 1), *sizes.values())
    cores = core_count()
    side = min(cores, 3)
    if "w2" in metrics:
        N, count = checked_sizes(cloud, reference, second, n, repeats, estimator)
        solves = count * (3 if not halves or len(reference) >= 2 * N else 1)
        at_once = min(solves, cores + 1 if estimator == "certified" else 1)
        seconds = solves * SECONDS_PER_PAIR.get(estimator, 0.0) * N * N / min(solves, cores)
        what = f"exact W2 of N = {N} particles a side, {solves} times"
        told += _cost(what, seconds, at_once * w2_memory(N, estimator))
        told += _subsampled("exact W2", sizes, N, count, halves and len(reference) >= 2 * N)
    if "sliced" in metrics:
        N = min(fewest, LARGEST_SLICED)
        told += _cost(f"sliced W2 of N = {N}", 3 * SECONDS_SLICED * N / side, 200 * N)
        told += _subsampled("sliced W2", sizes, N, 1, halves)
    if "binned" in metrics:
        cells = min(max(sizes.values()), BINS ** cloud.shape[1] // 2)  # a ball fills half of its box
        told += _cost(f"binned W2 of about {cells} cells", 4 * SECONDS_BINNED * cells**2 / side, 42 * cells**2)
        told += _subsampled("binned W2", sizes, fewest, 1, halves)
    if "bound" in metrics:
        N = max(1, fewest // BLOCKS)
        told += _cost(f"the bound of N = {N}, {3 * BLOCKS} times", 3 * BLOCKS * SECONDS_BOUND * N, 400 * N)
        told += _subsampled("the bound", sizes, N, BLOCKS, halves)
    return told


def _cost(what: str, seconds: float, memory: float) -> list[str]:
    return [f"{what}: about {seconds:.0f} s and {memory / 2**30:.2g} GiB"] if seconds > LONG else []


def _subsampled(what: str, sizes: dict[str, int], n: int, repeats: int, halves: bool) -> list[str]:
    parts = []
    for name, size in sizes.items():
        if halves and name == "reference":
            each = f"{repeats} x {n} of each half ({size // 2})" if n * repeats < size // 2 else "two halves"
            parts.append(f"{each} of the {size} of the reference")
        elif n < size:
            parts.append(f"{repeats} x {n} of the {size} particles of the {name}")
    return [f"{what} takes {', '.join(parts)}"] if parts else []
