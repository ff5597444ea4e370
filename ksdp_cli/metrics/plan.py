"""Announces the cost of a comparison and its sub-samples before it starts."""

from __future__ import annotations

from collections.abc import Iterable

from .base import Distance
from .wasserstein import require_references

#: The cost is announced above this number of seconds.
LONG = 1.0


def announce(metrics: Iterable[Distance]) -> list[str]:
    """Sentences with the cost of each distance that takes more than `LONG` seconds, and with every sub-sampling.

    Raises the errors of `Distance.sizes` and `compare_clouds` for the same clouds and sizes.
    """
    sentences = []
    for metric in metrics:
        require_references(metric.cloud, metric.reference, metric.second)
        sizes = dict(zip(("cloud", "reference", "second reference"), map(len, metric.clouds), strict=False))
        n, repeats = metric.sizes()
        halves = metric.second is None and len(metric.reference) >= 2 * n
        solves = repeats * (3 if halves or metric.second is not None else 1)
        seconds, memory = metric.cost(n, solves)
        sentences += cost(f"{metric.title} of N = {n} particles per cloud, {solves} times", seconds, memory)
        sentences += _sub_sample_notes(metric.title, sizes, n, repeats, halves)
    return sentences


def cost(what: str, seconds: float, memory: float) -> list[str]:
    """One sentence if ``what`` takes more than `LONG` seconds, else none."""
    return [f"{what}: about {seconds:.0f} s and {memory / 2**30:.2g} GiB"] if seconds > LONG else []


def _sub_sample_notes(what: str, sizes: dict[str, int], n: int, repeats: int, halves: bool) -> list[str]:
    parts = []
    for name, size in sizes.items():
        if halves and name == "reference":
            each = f"{repeats} x {n} of each half ({size // 2})" if n * repeats < size // 2 else "two halves"
            parts.append(f"{each} of the {size} of the reference")
        elif n < size:
            parts.append(f"{repeats} x {n} of the {size} particles of the {name}")
    return [f"{what} takes {', '.join(parts)}"] if parts else []
