"""The order and opening of the tree, chosen by the error measured on the cloud at hand.

The same order is 6 to 40 times less accurate on an aggregated cloud than on a ball, so no table of orders can keep a
promise: the force on a sample of particles is compared with the direct sum in float64, at the first call and every
``PERIOD`` calls, and the tree climbs until the error is below the target.
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

#: Particles whose force is checked.
SAMPLE = 256
#: Calls between checks, and between a step down that failed and the next one.
PERIOD, PATIENCE = 25, 250
#: A cheaper setting is tried when the error is below this part of the target.
SLACK = 0.2
#: What a rung of the ladder gains, and the error of the first one, roughly: where to start and how far to jump.
GAIN, COARSE = 2.4, 5e-3


@dataclass(frozen=True)
class Rung:
    """One setting. Fields have order ``order - slope * level``, sources one less; a leaf has at most ``leaf``."""

    order: float
    slope: float
    opening: float
    leaf: int

    def orders(self, depth: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Orders of sources and of fields on the levels 0 .. depth."""
        fields = np.floor(self.order - self.slope * np.arange(depth + 1) + 1e-9).astype(np.int64)
        fields = np.maximum(fields, 3)
        return fields - 1, fields


def ladder(dim: int, dtype: str) -> list[Rung]:
    """Settings by growing accuracy, each about `GAIN` times better. In float32 they end where rounding takes over.

    Openings from 0.7 to 2, leaves from 32 to 128 and slopes from 0 to 0.3 were measured; a step of the order is the
    cheapest way to a digit. With large orders a larger leaf pays, because its particles are then fewer than proxies.
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
    """A random sample of ``count`` particles that depends on ``number`` alone."""
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
    """Relative l2 error of ``force`` (n, d), and largest error over the root mean square force, on a sample.

    ``sample`` (n,) numbers its particles, which the ranks of a ``world`` share out. ``accumulate`` is the direct sum in
    float64.
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
    wrong = np.linalg.norm(force - exact.T, axis=1)
    scale = math.sqrt(float(np.mean(exact**2)) * x.shape[1])
    if scale == 0.0:
        return (0.0, 0.0) if not wrong.any() else (math.inf, math.inf)
    return math.sqrt(float(np.mean(wrong**2))) / scale, float(wrong.max()) / scale


class Tuner:
    """Walks a ladder of settings; its whole memory is `state`."""

    def __init__(self, target: float, rungs: list[Rung]) -> None:
        self.target, self.rungs = target, rungs
        self.rung, self.calls, self.due, self.rest = self._guess(), 0, 0, 0
        self.error, self.largest, self.checked, self.worst = math.nan, math.nan, -1, 0.0

    def run(self, evaluate: Callable[[Rung], Force], measure: Callable[[Force, int], tuple[float, float]]) -> Force:
        """The force by the setting in use, raised first where a check is due and fails; an array or a tensor."""
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
            self.rung -= 1  # checked at the very next call, and taken back there if it was one too many
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
        """Take over a `state`. Raises `DataError` for one of another ladder, `ValueError` for what is none."""
        saved = as_record(SavedTuner, state)
        if saved.rung >= len(self.rungs):
            raise DataError(
                f"the state holds setting {saved.rung} of the tree, and there are {len(self.rungs)}",
                "it is of another version: begin anew with --overwrite",
            )
        for name in SavedTuner.model_fields:
            setattr(self, name, getattr(saved, name))
