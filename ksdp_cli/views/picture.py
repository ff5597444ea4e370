"""The clouds of a picture: frames of a store, with all seeds as one, and clouds from a network."""

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
    """A cloud to draw, at the parameters ``values``: a loader for each seed, and one for the chemical if stored."""

    values: At
    runs: tuple[Callable[[], Cloud], ...]
    field: Callable[[], figures.Field] | None = None

    def load(self) -> Cloud:
        """Load the particles of all seeds, (n, d)."""
        return self.runs[0]() if len(self.runs) == 1 else np.concatenate([run() for run in self.runs])

    def moments(self) -> list[Moments]:
        """Return the moments of each seed."""
        return [moments(run()) for run in self.runs]


@dataclass
class Work:
    """The files to draw: ``parts`` maps the end of each file's name to the function that draws it."""

    title: str
    parts: dict[str, Callable[[Path], None]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def first_axes(self, x: Cloud) -> Cloud:
        """Return the first three axes of ``x`` (n, d), which are drawn; add a note once."""
        note = f"the first 3 of {x.shape[1]} dimensions are drawn"
        if x.shape[1] > 3 and note not in self.notes:
            self.notes.append(note)
        return x[:, :3]


class NetworkClouds:
    """A generator that pushes the same ``n`` particles, those of ``ksdp sample``, at every parameter value."""

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


def of_store(work: Work, selection: Selection, largest: int) -> list[PictureCloud]:
    """Return every selected frame, with all seeds as one; thin frames of more than ``largest`` particles evenly."""
    run, seeds = selection.run, {selection.run.cases[case].get(SEED) for case in selection.cases}
    together = _of_all_seeds([frame_of(run, case, k, 1) for case, k in selection.frames()])
    step = -(-run.J * max((len(one.runs) for one in together), default=1) // largest)
    if step > 1:
        work.notes.append(f"{-(-run.J // step)} of the {run.J} particles of {run.path} are drawn: one in {step}")

    every = [frame_of(run, case, k, step) for case, k in selection.frames()]
    together = _of_all_seeds(every)
    if len(together) == len(every):  # one seed, or a different one for each case
        return every
    without = ", without their chemicals" if run.grid else ""
    work.notes.append(
        f"the particles of {len(seeds)} seeds of {run.path} are drawn together{without}; --seed chooses one"
    )
    return together


def _of_all_seeds(every: list[PictureCloud]) -> list[PictureCloud]:
    """Join frames that differ only in their seed; the result has no chemical, since each seed has its own."""
    together: dict[tuple[float, ...], list[PictureCloud]] = {}
    for one in every:
        together.setdefault(tuple(value for name, value in one.values.items() if name != SEED), []).append(one)
    return [
        PictureCloud(
            {n: v for n, v in group[0].values.items() if n != SEED}, tuple(run for one in group for run in one.runs)
        )
        for group in together.values()
    ]


def frame_of(run: Run, case: int, k: int, step: int) -> PictureCloud:
    """Return a frame with every ``step``-th particle."""
    values = run.cases[case] | {"t": float(run.times[k])}
    field = (lambda: field_of(run, case, k)) if run.grid else None
    return PictureCloud(values, (lambda: run.rows(case, k, slice(0, None, step)),), field)


def field_of(run: Run, case: int, k: int) -> figures.Field:
    """Load the chemical of a frame, from a store that has it."""
    assert run.grid is not None
    return figures.Field(run.grid.axes(), run.field(case, k))


def thin(work: Work, items: list[Item], most: int) -> list[Item]:
    """Return all items, or ``most`` evenly spaced ones with the first and the last."""
    if len(items) <= most:
        return items
    work.notes.append(f"{most} of {len(items)} clouds are drawn; choose others by name, as --A 50 --t 0.1")
    return evenly(items, most)


def labels_of(every: Sequence[At]) -> list[str]:
    """Return labels such as ``A = 50, t = 0.1`` of the parameters that vary, or of all if none does."""
    names = [name for name in every[0] if len({values[name] for values in every}) > 1] or list(every[0])
    return [label({name: values[name] for name in names}, 4) for values in every]
