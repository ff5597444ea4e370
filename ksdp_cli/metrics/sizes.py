"""Default sizes of sub-samples."""

from __future__ import annotations

from ..base.shapes import Cloud

#: Largest default N, which takes seconds; largest default number of sub-samples; N is a `PARTS`-th beside halves.
LARGEST_N, MOST_REPEATS, PARTS = 10_000, 3, 5


def default_sizes(
    cloud: Cloud,
    reference: Cloud,
    second: Cloud | None,
    n: int | None = None,
    repeats: int | None = None,
    most: int | None = LARGEST_N,
) -> tuple[int, int]:
    """Return N and the number of sub-samples; ``n`` and ``repeats`` replace the defaults.

    The default N is the size of the smallest cloud, at most ``most``. If halves of the reference give the floor, it is
    a fifth of that: such a floor does not include differences between runs, which are small beside the sampling noise
    of so few particles. The default number of repeats is the number of disjoint sub-samples, at most 3.
    """
    fewest = min(len(cloud), len(reference), len(second) if second is not None else len(cloud))
    size = n
    if size is None:
        largest = fewest if second is not None else max(1, fewest // PARTS)
        size = largest if most is None else min(most, largest)
    smallest = min(fewest, len(reference) // 2) if second is None else fewest
    return size, max(1, min(MOST_REPEATS, smallest // max(size, 1))) if repeats is None else repeats
