"""Where the distances of a comparison are found: in the threads of this process, or by a solver of the caller's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from ..base.shapes import Cloud
from ..base.threads import core_count
from .base import Distance, Transport

#: The sub-sample (n, d) of a number, which is taken when it is needed.
Take = Callable[[int], Cloud]
#: Two sub-samples by their numbers.
Pair = tuple[int, int]


class Solver(Protocol):
    """Finds the distances of ``pairs`` by ``metric``, in their order; the same bits wherever that is."""

    def __call__(self, metric: Distance, take: Take, pairs: Sequence[Pair]) -> Iterable[Transport]: ...


def solve_by_threads(metric: Distance, take: Take, pairs: Sequence[Pair]) -> Iterator[Transport]:
    """Pairs side by side, by one thread more than cores: solvers hold the interpreter's lock for part of their time."""
    with ThreadPoolExecutor(min(len(pairs), core_count() + 1)) as pool:
        yield from pool.map(lambda pair: metric.transport(take(pair[0]), take(pair[1])), pairs)
