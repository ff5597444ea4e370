"""Select cases and snapshots of a store by the values of its parameters, as ``A=50, t=0.02``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ..base.files import JsonDict
from ..base.grids import SEED, near
from ..base.labels import label, several
from ..base.parsing import integer, integers, sweep, tidy
from ..base.records import FileEntries
from ..base.shapes import Cloud
from ..errors import ConfigError, DataError
from . import layout
from .reader import Run


@dataclass(frozen=True)
class Selection:
    """All pairs of ``cases`` and ``snapshots``, which are numbers in ``run``, in its order."""

    run: Run
    cases: tuple[int, ...]
    snapshots: tuple[int, ...]

    @property
    def times(self) -> list[float]:
        return [float(self.run.times[k]) for k in self.snapshots]

    @property
    def parameters(self) -> dict[str, list[float]]:
        """Each swept parameter with its value in each selected case."""
        return {name: [self.run.cases[case][name] for case in self.cases] for name in self.run.cases[0]}

    @property
    def kind(self) -> str:
        """Type of the positions: float32, or float64 with a moving origin."""
        return "<f8" if self.run.header.moving else "<f4"

    def frames(self) -> list[tuple[int, int]]:
        """Return every (case, snapshot), the snapshots of one case together."""
        return [(case, k) for case in self.cases for k in self.snapshots]

    def blocks(self) -> Iterator[tuple[int, int, int, Cloud]]:
        """Yield all positions in the order (case, time, particle), one file of the store at a time.

        Yields the index in ``cases``, the index in ``snapshots``, the number of the first particle, and the block
        (n, d). Raises as `Run.rows`.
        """
        length = layout.shard_length(self.run.J)
        for i, case in enumerate(self.cases):
            for j, k in enumerate(self.snapshots):
                for start in range(0, self.run.J, length):
                    block = self.run.rows(case, k, slice(start, start + length))
                    bad = int((~np.isfinite(block)).any(1).sum())
                    if bad:
                        where = f"case {case}, t = {self.run.times[k]:g} of {self.run.path}"
                        raise DataError(f"{bad} particles of {where} are not finite", "simulate again")
                    yield i, j, start, block


def select(run: Run, *, case: object = None, t: object = None, **parameters: object) -> Selection:
    """Select the frames of ``run`` at these values: numbers or lists (``A=[1, 10]``, ``"1,10"``); by default all.

    ``case`` is one or more case numbers. A parameter that does not vary must equal its value in the store. Raises
    `ConfigError` that lists the values in the store, `DataError` for a store without a frame.
    """
    cases = range(len(run.cases)) if case is None else sorted({_case(run, one) for one in _as_list(case)})
    for name, value_or_list in parameters.items():
        values = integers(value_or_list) if name == SEED else sweep(value_or_list)
        if name not in run.cases[0]:
            _require_constant(run, name, values)
            continue
        column = [one[name] for one in run.cases]
        hits = {value: [i for i, one in enumerate(column) if near(name, one, value)] for value in values}
        for value, numbers in hits.items():
            if not numbers:
                there = several(label({name: one}).partition("= ")[2] for one in sorted(set(column)))
                raise ConfigError(f"{run.path} has no case with {label({name: value})}", f"it has {name} = {there}")
        matches = {i for numbers in hits.values() for i in numbers}
        cases = [i for i in cases if i in matches]
    if not len(cases):
        every = several((label(values) for values in run.cases), between="; ")
        raise ConfigError(f"{run.path} has no case with all of these values", f"it has: {every}")
    run = run.as_of(cases)
    if not len(run.times):
        raise DataError(f"{run.path} has no frame {_of_these(run, cases)}", _hint(run))
    return Selection(run, tuple(cases), _snapshots(run, t))


def _of_these(run: Run, cases: Sequence[int]) -> str:
    if len(run.cases) == 1:
        return "yet"
    return "of every case yet" if len(cases) == len(run.cases) else "of these cases yet"


def _hint(run: Run) -> str:
    """What to read instead of a store that has no frame of every case."""
    done = [case for case, frames in enumerate(run.progress()) if frames]
    if not done or len(run.cases) == 1:
        return "wait for its first snapshot, or simulate again"
    return f"{len(done)} cases have frames: choose from them, as {run.path}@case={done[0]}"


def constant(run: Run, name: str) -> float | None:
    """Return the value of a parameter that is constant in a store, or None."""
    return constant_value(simulation_of(run), name)


def simulation_of(run: Run) -> JsonDict:
    """Return the configuration of a stored simulation, or of the one that the samples' network learned."""
    return FileEntries(run.attrs.get("simulation", {}) if run.kind == "samples" else run.config, run.path)


def start_of(simulation: JsonDict) -> float:
    """Return the start time t0 of a simulation; stored configurations omit it if it is 0."""
    return float(simulation.get("t0", 0.0))


def end_of(simulation: JsonDict) -> float:
    """Return the end time t0 + T of a simulation."""
    return tidy(start_of(simulation) + float(simulation["T"]))


def component_parameters(simulation: JsonDict) -> JsonDict:
    """Return the parameters of the flow, the kernel and the chemistry of a simulation's configuration."""
    parts = ("flow_params", "kernel_params", "chemistry_params")
    return {name: value for part in parts for name, value in simulation.get(part, {}).items()}


def constant_value(simulation: JsonDict, name: str) -> float | None:
    """Return the value of a parameter that is constant in a simulation's configuration, or None."""
    value = {**simulation, **component_parameters(simulation)}.get(name)
    if isinstance(value, (list, tuple)):
        return float(value[0]) if len(value) == 1 else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _as_list(case: object) -> Sequence[object]:
    if isinstance(case, str):
        return [part for part in case.split(",") if part.strip()]
    return list(case) if hasattr(case, "__iter__") else [case]


def _case(run: Run, text: object) -> int:
    number = integer(text)
    if not 0 <= number < len(run.cases):
        raise ConfigError(f"{run.path} has no case {number}", f"it has the cases 0 to {len(run.cases) - 1}")
    return number


def _snapshots(run: Run, t: object) -> tuple[int, ...]:
    if t is None:
        return tuple(range(len(run.times)))
    numbers = set()
    for value in sweep(t):
        hits = np.flatnonzero(np.isclose(run.times, value, rtol=1e-9, atol=1e-12))
        if not len(hits):
            times = ", ".join(f"{one:g}" for one in run.times)
            raise ConfigError(f"{run.path} has no snapshot t = {value:g}", f"it has t = {times}")
        numbers.add(int(hits[np.argmin(np.abs(run.times[hits] - value))]))
    return tuple(sorted(numbers))


def _require_constant(run: Run, name: str, values: tuple[float, ...]) -> None:
    value = constant(run, name)
    varying = ", ".join(run.cases[0]) or "nothing"
    if value is None:
        raise ConfigError(f"{run.path} has no parameter {name!r}", f"it varies: {varying}")
    for target in values:
        if not np.isclose(value, target, rtol=1e-9, atol=0):
            raise ConfigError(f"{run.path} has {name} = {value:g}, not {target:g}", f"drop --{name}")
