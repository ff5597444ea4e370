"""The choice of order and opening of the tree, by the error measured on the current cloud.

One order is 6 to 40 times less accurate on an aggregated cloud than on a ball, so no table of orders can guarantee an
accuracy. Instead the force on a sample of particles is compared with the direct sum in float64, at the first call and
every ``PERIOD`` calls, and the tree uses more accurate settings until the error is below the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ...base.records import SavedTuner, as_record
from ...base.shapes import Cloud
from ...errors import DataError
from ..world import World, ends_of, share_of

Force = TypeVar("Force")

#: Number of particles whose force is checked.
SAMPLE = 256
#: Calls between two checks; calls after a failed step down before the next attempt.
PERIOD, PATIENCE = 25, 250
#: A cheaper setting is tried if the error is below this fraction of the target.
SLACK = 0.2
#: Approximate gain in accuracy of one rung, and error of the first rung, to choose the start and the size of a jump.
GAIN, COARSE = 2.4, 5e-3


@dataclass(frozen=True)
class Rung:
    """One setting: fields have order ``order - slope * level``, sources one less; a leaf has at most ``leaf``
    particles."""

    order: float
    slope: float
    opening: float
    leaf: int

    def orders(self, depth: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the orders of sources and of fields on levels 0 .. depth."""
        fields = np.floor(self.order - self.slope * np.arange(depth + 1) + 1e-9).astype(np.int64)
        fields = np.maximum(fields, 3)
        return fields - 1, fields


def ladder(dim: int, dtype: str) -> list[Rung]:
    """Settings of increasing accuracy, each about `GAIN` times better; in float32 they end where rounding dominates.

    Openings from 0.7 to 2, leaves from 32 to 128 and slopes from 0 to 0.3 were measured; raising the order is the
    cheapest way to more accuracy. High orders favour larger leaves, as long as these have fewer particles than proxies.
    """
    slope, first, last = (0.3, 6.0, 16.0) if dim == 2 else (0.15, 4.5, 11.0)
    if dtype == "float32" and dim == 2:
        last = 11.0
    orders = np.arange(first, last + 0.25, 0.5)
    rungs = [Rung(float(order), slope, 1.0, 64 if order**dim < 512 else 128) for order in orders]
    if dtype == "float64" or dim == 3:
        rungs += [Rung(last, 0.0, opening, 128) for opening in (1.0, 0.7, 0.5)]
    return rungs


def sample_of(count: int, number: int) -> NDArray[np.int64]:
    """Indices of a random sample of ``count`` particles, a function of ``number``."""
    draw = np.random.Generator(np.random.Philox(key=number))
    return np.arange(count) if count <= SAMPLE else draw.choice(count, SAMPLE, replace=False)


def sampled_error(
    accumulate: Callable[..., object],
    args: tuple[float, ...],
    x: Cloud,
    force: Cloud,
    sample: NDArray[np.int64],
    run: Callable[[Callable[[int], object], Iterable[int]], list[object]],
    world: World | None = None,
) -> tuple[float, float]:
    """Relative l2 error of ``force`` (n, d) on a sample, and the largest error over the root mean square force.

    ``sample`` (n,) holds the indices of its particles in ``x`` (J, d); the ranks of ``world`` share them.
    ``accumulate`` is the direct sum in float64.
    """
    p = np.array(args, np.float64)
    axes = [np.ascontiguousarray(column, np.float64) for column in x.T]
    exact = np.zeros((x.shape[1], len(sample)))
    piece, (low, high) = 16, share_of(len(sample), world) if world else (0, len(sample))

    def task(first: int) -> None:
        part = slice(first, min(first + piece, high))
        accumulate(*(axis[sample[part]] for axis in axes), *axes, *(row[part] for row in exact), p)

    run(task, range(low, high, piece))
    if world:
        for row in exact:
            world.join(row, ends_of(len(sample), world.size))
    error = np.linalg.norm(force - exact.T, axis=1)
    scale = math.sqrt(float(np.mean(exact**2)) * x.shape[1])
    if scale == 0.0:
        return (0.0, 0.0) if not error.any() else (math.inf, math.inf)
    return math.sqrt(float(np.mean(error**2))) / scale, float(error.max()) / scale


class Tuner:
    """Chooses a rung of a ladder of settings; `state` holds all its variables."""

    def __init__(self, target: float, rungs: list[Rung]) -> None:
        self.target, self.rungs = target, rungs
        self.rung, self.calls, self.due, self.rest = self._guess(), 0, 0, 0
        self.error, self.largest, self.checked, self.worst = math.nan, math.nan, -1, 0.0

    def run(self, evaluate: Callable[[Rung], Force], measure: Callable[[Force, int], tuple[float, float]]) -> Force:
        """Return the force (an array or a tensor) by the current setting, after raising it if a check is due and
        fails."""
        force = evaluate(self.rungs[self.rung])
        if self.calls >= self.due:
            force = self._check(force, evaluate, measure)
        self.calls += 1
        return force

    def _check(
        self, force: Force, evaluate: Callable[[Rung], Force], measure: Callable[[Force, int], tuple[float, float]]
    ) -> Force:
        self.error, self.largest = measure(force, self.calls)
        climbed = 0
        while self.error > self.target and self.rung + 1 < len(self.rungs):
            excess = math.log(min(self.error / self.target, 1e6)) / math.log(GAIN)
            self.rung = min(self.rung + max(1, int(excess)), len(self.rungs) - 1)
            climbed += 1
            force = evaluate(self.rungs[self.rung])
            self.error, self.largest = measure(force, self.calls)
        self.worst = max(self.worst, self.error)
        self.checked = self.calls
        self.due = self.calls + PERIOD
        if climbed and self.calls > 0:
            self.rest = self.calls + PATIENCE
        elif self.error < SLACK * self.target and self.rung > 0 and self.calls >= self.rest:
            self.rung -= 1  # checked at the next call, and reversed there if it fails
            self.due = self.calls + 1
        return force

    def _guess(self) -> int:
        steps = math.log(COARSE / self.target) / math.log(GAIN)
        return max(0, min(len(self.rungs) - 1, math.ceil(steps)))

    def report(self) -> dict[str, object]:
        setting = self.rungs[self.rung]
        return {
            "order": setting.order,
            "order_slope": setting.slope,
            "opening": setting.opening,
            "leaf": setting.leaf,
            "target": self.target,
            "error": self.error,
            "max_error": self.largest,
            "worst_error": self.worst,
            "met": self.error <= self.target,
            "checked_at_call": self.checked,
        }

    def state(self) -> dict[str, object]:
        return {name: getattr(self, name) for name in SavedTuner.model_fields}

    def restore(self, state: dict[str, object]) -> None:
        """Continue from a `state`. Raises `DataError` for that of another ladder, `ValueError` for other data."""
        saved = as_record(SavedTuner, state)
        if saved.rung >= len(self.rungs):
            raise DataError(
                f"the state has setting {saved.rung} of the tree, but there are {len(self.rungs)}",
                "start again with --overwrite: the state is from another version",
            )
        for name in SavedTuner.model_fields:
            setattr(self, name, getattr(saved, name))
