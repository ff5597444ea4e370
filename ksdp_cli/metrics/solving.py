"""Computation of the distances of a comparison, by threads of this process or by a caller's solver."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from ..base.shapes import Cloud
from ..base.threads import core_count
from .base import Distance, Transport

#: A function that returns sub-sample number i (n, d), called when it is needed.
Take = Callable[[int], Cloud]
#: Numbers of two sub-samples.
Pair = tuple[int, int]


class Solver(Protocol):
    """Computes the distances of ``pairs`` by ``metric``, in order, with the same bits in any process."""

    def __call__(self, metric: Distance, take: Take, pairs: Sequence[Pair]) -> Iterable[Transport]: ...


def solve_by_threads(metric: Distance, take: Take, pairs: Sequence[Pair]) -> Iterator[Transport]:
    """Compute pairs in parallel, by as many threads as `core_count` allows."""
    with ThreadPoolExecutor(min(len(pairs), core_count())) as pool:
        yield from pool.map(lambda pair: metric.transport(take(pair[0]), take(pair[1])), pairs)
