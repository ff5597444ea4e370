"""Some cases and snapshots of a store, chosen by the values of its parameters, as ``A=50, t=0.02``."""

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
    """``cases`` and ``snapshots`` (their numbers in ``run``, in its order) of which every pair is meant."""

    run: Run
    cases: tuple[int, ...]
    snapshots: tuple[int, ...]

    @property
    def times(self) -> list[float]:
        return [float(self.run.times[k]) for k in self.snapshots]

    @property
    def parameters(self) -> dict[str, list[float]]:
        """Each swept parameter with one value a chosen case."""
        return {name: [self.run.cases[case][name] for case in self.cases] for name in self.run.cases[0]}

    @property
    def kind(self) -> str:
        """Type of the positions: float32, and float64 where they count from an origin that moves."""
        return "<f8" if self.run.header.moving else "<f4"

    def frames(self) -> list[tuple[int, int]]:
        """Every (case, snapshot), the snapshots of one case together."""
        return [(case, k) for case in self.cases for k in self.snapshots]

    def blocks(self) -> Iterator[tuple[int, int, int, Cloud]]:
        """All positions in the order of the array (case, time, particle), a file of the store at a time.

        Yields the place of the case in ``cases``, that of the snapshot in ``snapshots``, the first particle, and its
        block (n, d). Raises as `Run.rows`.
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
    """What ``run`` holds at these values, each a number or several (``A=[1, 10]``, ``"1,10"``); all, where not named.

    ``case`` are case numbers. A parameter that the store does not vary must have the value that it was made with.
    Raises `ConfigError` listing what there is, `DataError` for a store without a frame.
    """
    if not len(run.times):
        raise DataError(f"{run.path} has no frame yet", "wait for its first snapshot, or simulate again")
    chosen = range(len(run.cases)) if case is None else sorted({_case(run, one) for one in _listed(case)})
    for name, given in parameters.items():
        values = integers(given) if name == SEED else sweep(given)
        if name not in run.cases[0]:
            _require_fixed(run, name, values)
            continue
        here = [one[name] for one in run.cases]
        hits = {value: [i for i, one in enumerate(here) if near(name, one, value)] for value in values}
        for value, found in hits.items():
            if not found:
                there = several(label({name: one}).partition("= ")[2] for one in sorted(set(here)))
                told = f"{run.path} has no case with {label({name: value})}"
                raise ConfigError(told, f"it has {name} = {there}")
        wanted = {i for found in hits.values() for i in found}
        chosen = [i for i in chosen if i in wanted]
    if not len(chosen):
        listed = several((label(values) for values in run.cases), between="; ")
        raise ConfigError(f"{run.path} has no case with all of these values", f"it has: {listed}")
    return Selection(run, tuple(chosen), _snapshots(run, t))


def constant(run: Run, name: str) -> float | None:
    """The one value that a parameter has throughout a store, or None where it has none."""
    return constant_value(simulation_of(run), name)


def simulation_of(run: Run) -> JsonDict:
    """The configuration of the simulation that a store holds, or that its samples' network learned."""
    return FileEntries(run.attrs.get("simulation", {}) if run.kind == "samples" else run.config, run.path)


def start_of(simulation: JsonDict) -> float:
    """The time at which a simulation began: its t0, which stored configurations leave out where it is 0."""
    return float(simulation.get("t0", 0.0))


def end_of(simulation: JsonDict) -> float:
    """The time at which a simulation ended."""
    return tidy(start_of(simulation) + float(simulation["T"]))


def constant_value(simulation: JsonDict, name: str) -> float | None:
    """`constant`, for the configuration of a simulation."""
    everything = {**simulation, **simulation.get("flow_params", {}), **simulation.get("kernel_params", {})}
    value = everything.get(name)
    if isinstance(value, (list, tuple)):
        return float(value[0]) if len(value) == 1 else None
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _listed(case: object) -> Sequence[object]:
    if isinstance(case, str):
        return [part for part in case.split(",") if part.strip()]
    return list(case) if hasattr(case, "__iter__") else [case]


def _case(run: Run, given: object) -> int:
    number = integer(given)
    if not 0 <= number < len(run.cases):
        raise ConfigError(f"{run.path} has no case {number}", f"it has the cases 0 to {len(run.cases) - 1}")
    return number


def _snapshots(run: Run, t: object) -> tuple[int, ...]:
    if t is None:
        return tuple(range(len(run.times)))
    found = set()
    for value in sweep(t):
        hits = np.flatnonzero(np.isclose(run.times, value, rtol=1e-9, atol=1e-12))
        if not len(hits):
            there = ", ".join(f"{one:g}" for one in run.times)
            raise ConfigError(f"{run.path} has no snapshot t = {value:g}", f"it has t = {there}")
        found.add(int(hits[np.argmin(np.abs(run.times[hits] - value))]))
    return tuple(sorted(found))


def _require_fixed(run: Run, name: str, values: tuple[float, ...]) -> None:
    value = constant(run, name)
    varied = ", ".join(run.cases[0]) or "nothing"
    if value is None:
        raise ConfigError(f"{run.path} has no parameter {name!r}", f"it varies: {varied}")
    for asked in values:
        if not np.isclose(value, asked, rtol=1e-9, atol=0):
            raise ConfigError(f"{run.path} was made with {name} = {value:g}, not {asked:g}", f"drop --{name}")
