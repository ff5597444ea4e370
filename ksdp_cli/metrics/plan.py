"""What a comparison will cost and which particles it will use, said before it starts."""

from __future__ import annotations

from collections.abc import Sequence

from ..base.shapes import Cloud
from ..base.threads import core_count
from .approximate import BINS
from .comparison import checked_sizes, require
from .panel import APPROXIMATE, panel_sizes
from .wasserstein import EMD_BYTES_PER_PAIR, SECONDS_PER_PAIR, w2_memory

#: Seconds below which nothing is said of the cost.
LONG = 1.0
NAMES = {"sliced": "sliced W2", "binned": "binned W2", "bound": "the bound"}


def announce(
    metrics: Sequence[str],
    cloud: Cloud,
    reference: Cloud,
    second: Cloud | None,
    *,
    n: int | None,
    repeats: int | None,
    estimator: str,
    whole: bool = False,
) -> list[str]:
    """Sentences: the cost of the exact distance when it takes more than a second, and every sub-sampling.

    ``whole``: the approximate distances are those of all particles, without a floor, as in `approximation`. Raises what
    `compare_clouds` raises for such clouds and sizes.
    """
    require(cloud, reference, second)
    told = []
    halves = second is None
    sizes = {"cloud": len(cloud), "reference": len(reference)}
    if second is not None:
        sizes["second reference"] = len(second)
    cores = core_count()
    if "w2" in metrics:
        N, count = checked_sizes(cloud, reference, second, n, repeats, estimator)
        floor = not halves or len(reference) >= 2 * N
        solves = count * (3 if floor else 1)
        at_once = min(solves, cores + 1 if estimator == "certified" else 1)
        seconds = solves * SECONDS_PER_PAIR.get(estimator, 0.0) * N * N / min(solves, cores)
        what = f"exact W2 of N = {N} particles a side, {solves} times"
        told += _cost(what, seconds, at_once * w2_memory(N, estimator))
        told += _subsampled("exact W2", sizes, N, count, halves and floor)
    cells = min(max(sizes.values()), BINS ** cloud.shape[1] // 2)  # a ball fills half of its box
    for metric in [metric for metric in metrics if metric in APPROXIMATE]:
        N, count = panel_sizes(metric, cloud, reference, second, whole)
        solves, name = 1 if whole else 3 * count, NAMES[metric]
        seconds, memory = {
            "sliced": (1e-5 * N * solves / min(solves, cores), 200 * N),
            "binned": (8e-7 * cells**2 * (solves + 1) / min(solves, cores), EMD_BYTES_PER_PAIR * cells**2),
            "bound": (4e-5 * N * solves, 400 * N),
        }[metric]
        told += _cost(f"{name} of N = {N} particles a side, {solves} times", seconds, memory)
        told += _subsampled(name, sizes, N, count, halves and not whole)
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
