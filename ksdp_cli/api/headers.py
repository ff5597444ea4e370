"""What a stored simulation says of itself, and whether a run asked for goes on from one that is stored."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .. import provenance
from ..config import SimulateConfig
from ..initial.stored import StoredCloud
from ..particles.problem import Problem
from ..store import Header, Run
from ..store.place import MARKS

#: Changed when the meaning of a checkpoint changes.
STATE = 1
#: The attribute with what the last frame lacks of the state: a run that is complete can be extended from there.
END_STATE = "end_state"


def header(problem: Problem) -> Header:
    """The header of the store that ``problem`` is written to."""
    config = problem.config
    return Header(
        kind="simulation",
        times=config.times,
        particles=config.J,
        dim=config.dim,
        cases={name: tuple(case.values[name] for case in problem.cases) for name in config.swept()},
        case_count=len(problem.cases),
        units=problem.units,
        config=_resolved(config),
        attrs=marks(problem)
        | {
            "seed": config.seed,
            "versions": provenance.versions(config.flow, config.kernel, config.init),
            "command": provenance.command("simulate", config),
        },
    )


def continued_header(problem: Problem, stored: Run) -> Header:
    """The header for `continued`, with the state in which ``stored`` ended.

    ``stored`` may be any run: the store refuses it when it is another one.
    """
    if stored.kind != "simulation":
        return header(problem)
    made = header(continued(problem, snapshots_of(stored.config)))
    end = {END_STATE: stored.attrs[END_STATE]} if END_STATE in stored.attrs else {}
    return replace(made, attrs=made.attrs | end)


def with_times(problem: Problem, times: tuple[float, ...]) -> Problem:
    """``problem`` with other snapshots."""
    return replace(problem, config=problem.config.model_copy(update={"snapshots": times, "T": times[-1]}))


def continued(problem: Problem, stored: tuple[float, ...]) -> Problem:
    """``problem`` with the snapshots ``stored``, which count from t0, and, after them, its own.

    As it is when it does not go on from them: it has an earlier end, or a snapshot that was passed by.
    """
    asked, end = problem.config.snapshots, stored[-1]
    later = tuple(t for t in asked if not any(_same(t, s) for s in stored))
    if any(t < end for t in later) or not (later or _same(asked[-1], end)):
        return problem
    return with_times(problem, stored + later)


def snapshots_of(config: dict[str, Any]) -> tuple[float, ...]:
    """The snapshots of a stored configuration, which count from its t0."""
    return tuple(float(since) for since in config["snapshots"])


def marks(problem: Problem) -> dict[str, Any]:
    """What decides on the numbers of a run and is no option: the particles of the store that it starts from, and what
    classes and instances of the caller's hold.
    """
    initial = problem.initial
    found: dict[str, Any] = {"contents": problem.contents} if problem.contents else {}
    if isinstance(initial, StoredCloud):
        found["origin"] = {"sha256": initial.digest, "t": initial.t, "generation": initial.generation}
    return found


def run_id(config: SimulateConfig, marked: dict[str, Any]) -> str:
    """What a checkpoint belongs to: the configuration without its times, which may be moved, and the `marks`."""
    kept = {name: value for name, value in _resolved(config).items() if name not in ("T", "snapshots")}
    return provenance.digest(kept | {"state": STATE} | {name: marked[name] for name in MARKS if name in marked})


def _resolved(config: SimulateConfig) -> dict[str, Any]:
    """The configuration as a store holds it; a run from t = 0 says what it said before there was a t0."""
    fields = config.model_dump(mode="json")
    return fields if config.t0 else {name: value for name, value in fields.items() if name != "t0"}


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-9 * max(a, b)
