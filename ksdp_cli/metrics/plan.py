"""What a comparison will cost and which particles it will use, said before it starts."""

from __future__ import annotations

from collections.abc import Sequence

from ..shapes import Cloud
from ..threads import core_count
from .comparison import checked_sizes, require
from .panel import BLOCKS, LARGEST_SLICED
from .wasserstein import SECONDS_PER_PAIR, w2_memory

#: Seconds below which nothing is said of the time.
LONG = 1.0


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
    sizes = {"cloud": len(cloud), "reference": len(reference)} | ({} if second is None else {"second": len(second)})
    fewest = min(len(cloud), len(reference) // (2 if halves else 1), *sizes.values())
    if "w2" in metrics:
        N, count = checked_sizes(cloud, reference, second, n, repeats, estimator)
        solves = count * (3 if not halves or len(reference) >= 2 * N else 1)
        at_once = min(solves, core_count() + 1 if estimator == "certified" else 1)
        seconds = solves * SECONDS_PER_PAIR.get(estimator, 0.0) * N * N / min(solves, core_count())
        memory = at_once * w2_memory(N, estimator) / 2**30
        if seconds > LONG:
            told.append(
                f"exact W2 of N = {N} particles a side, {solves} times: about {seconds:.0f} s and {memory:.2g} GiB"
            )
        told += _subsampled("exact W2", sizes, N, count, halves and len(reference) >= 2 * N)
    if "sliced" in metrics:
        told += _subsampled("sliced W2", sizes, min(fewest, LARGEST_SLICED), 1, halves)
    if "binned" in metrics:
        told += _subsampled("binned W2", sizes, fewest, 1, halves)
    if "bound" in metrics:
        told += _subsampled("the bound", sizes, max(1, fewest // BLOCKS), BLOCKS, halves)
    return told


def _subsampled(what: str, sizes: dict[str, int], n: int, repeats: int, halves: bool) -> list[str]:
    parts = []
    for name, size in sizes.items():
        if halves and name == "reference":
            each = f"{repeats} x {n} of each half ({size // 2})" if n * repeats < size // 2 else "two halves"
            parts.append(f"{each} of the {size} of the reference")
        elif n < size:
            parts.append(f"{repeats} x {n} of the {size} particles of the {name}")
    return [f"{what} takes {', '.join(parts)}"] if parts else []
