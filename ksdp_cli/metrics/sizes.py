"""Sizes of sub-samples, for clouds of different sizes."""

from __future__ import annotations

from ..base.shapes import Cloud

#: Largest default N, which takes seconds; most disjoint sub-samples by default; part of a cloud beside halves, 1 / 5.
LARGEST_N, MOST_REPEATS, PARTS = 10_000, 3, 5


def default_sizes(
    cloud: Cloud,
    reference: Cloud,
    second: Cloud | None,
    n: int | None = None,
    repeats: int | None = None,
    most: int | None = LARGEST_N,
) -> tuple[int, int]:
    """Default N and number of sub-samples.

    N: as many as there are in the smallest cloud, up to ``most``. A fifth of that where halves of the reference make
    the floor: what one run differs by from another is not in that floor, and is small beside the choice of so few
    particles. Repeats: as many as are disjoint, up to 3.
    """
    fewest = min(len(cloud), len(reference), len(second) if second is not None else len(cloud))
    size = n
    if size is None:
        largest = fewest if second is not None else max(1, fewest // PARTS)
        size = largest if most is None else min(most, largest)
    apart = min(fewest, len(reference) // 2) if second is None else fewest
    return size, max(1, min(MOST_REPEATS, apart // max(size, 1))) if repeats is None else repeats
