"""The clouds of a picture: frames of a store, those of all seeds as one, and what a network makes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import numpy as np

from .. import figures
from ..api.generator import Generator
from ..base.grids import SEED
from ..base.labels import evenly, label
from ..base.shapes import Cloud
from ..learning.model import Model
from ..metrics import Moments, moments
from ..store import Run
from ..store.selection import Selection

At = dict[str, float]
Item = TypeVar("Item")


@dataclass(frozen=True)
class PictureCloud:
    """One cloud with the values of its parameters, and the chemical where it is stored, loaded when it is drawn;
    of several seeds a cloud for each."""

    values: At
    runs: tuple[Callable[[], Cloud], ...]
    field: Callable[[], figures.Field] | None = None

    def load(self) -> Cloud:
        """The particles of all seeds."""
        return self.runs[0]() if len(self.runs) == 1 else np.concatenate([run() for run in self.runs])

    def moments(self) -> list[Moments]:
        """Of each seed."""
        return [moments(run()) for run in self.runs]


@dataclass
class Work:
    """What the parts of a picture are made of: ``parts`` maps the end of each file's name to what draws it."""

    title: str
    parts: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def drawn(self, x: Cloud) -> Cloud:
        """``x`` (n, d) as it is drawn, its first three axes; that is said once."""
        told = f"the first 3 of {x.shape[1]} dimensions are drawn"
        if x.shape[1] > 3 and told not in self.notes:
            self.notes.append(told)
        return x[:, :3]


class NetworkClouds:
    """A generator that pushes the same ``n`` particles, those of ``ksdp sample``, to every point."""

    def __init__(self, model: Model, n: int, device: str) -> None:
        self.generator, self.n = Generator(model, device), n
        self._x: Cloud | None = None

    def at(self, values: At) -> PictureCloud:
        def load() -> Cloud:
            if self._x is None:
                self._x = self.generator.inputs(self.n)
            return self.generator.push(self._x, values)

        return PictureCloud(values, (load,))

    def warnings(self, points: Sequence[At]) -> list[str]:
        return self.generator.warnings(self.n, *points)


def of_store(work: Work, chosen: Selection, largest: int) -> list[PictureCloud]:
    """Every chosen frame, those of several seeds as one; of more than ``largest`` particles evenly spaced ones."""
    run, seeds = chosen.run, {chosen.run.cases[case].get(SEED) for case in chosen.cases}
    pooled = _of_all_seeds([frame_of(run, case, k, 1) for case, k in chosen.frames()])
    step = -(-run.J * max((len(one.runs) for one in pooled), default=1) // largest)
    if step > 1:
        work.notes.append(f"{-(-run.J // step)} of the {run.J} particles of {run.path} are counted: one in {step}")

    every = [frame_of(run, case, k, step) for case, k in chosen.frames()]
    pooled = _of_all_seeds(every)
    if len(pooled) == len(every):  # one seed, or another one for each case
        return every
    work.notes.append(f"the particles of {len(seeds)} seeds of {run.path} are drawn together; --seed chooses one")
    return pooled


def _of_all_seeds(every: list[PictureCloud]) -> list[PictureCloud]:
    """Frames that differ in their seed alone as one, which has no chemical: each seed has its own."""
    together: dict[tuple[float, ...], list[PictureCloud]] = {}
    for one in every:
        together.setdefault(tuple(value for name, value in one.values.items() if name != SEED), []).append(one)
    return [
        PictureCloud(
            {n: v for n, v in shown[0].values.items() if n != SEED}, tuple(run for one in shown for run in one.runs)
        )
        for shown in together.values()
    ]


def frame_of(run: Run, case: int, k: int, step: int) -> PictureCloud:
    """Every ``step``-th particle of a frame."""
    values = run.cases[case] | {"t": float(run.times[k])}
    field = (lambda: field_of(run, case, k)) if run.grid else None
    return PictureCloud(values, (lambda: run.rows(case, k, slice(0, None, step)),), field)


def field_of(run: Run, case: int, k: int) -> figures.Field:
    """The chemical of a frame, of a store that holds it."""
    assert run.grid is not None
    return figures.Field(run.grid.axes(), run.field(case, k))


def thin(work: Work, items: list[Item], most: int) -> list[Item]:
    """All of them, or ``most`` evenly spaced ones with the first and the last."""
    if len(items) <= most:
        return items
    work.notes.append(f"{most} of {len(items)} clouds are shown; choose others by name, as --A 50 --t 0.1")
    return evenly(items, most)


def labels_of(every: Sequence[At]) -> list[str]:
    """``A = 50, t = 0.1``: what varies among them, or everything where nothing does."""
    names = [name for name in every[0] if len({values[name] for values in every}) > 1] or list(every[0])
    return [label({name: values[name] for name in names}, 4) for values in every]
