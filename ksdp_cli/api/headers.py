"""What a stored simulation says of itself, and whether a run asked for goes on from one that is stored."""

from __future__ import annotations

from dataclasses import replace

from .. import provenance
from ..config import SimulateConfig
from ..particles.problem import Problem
from ..store import Header, Run

#: Changed when the meaning of a checkpoint changes.
STATE = 1
#: The attribute with what the last frame lacks of the state: a run that is complete can be extended from there.
END_STATE = "end_state"


def header(problem: Problem) -> Header:
    """The header of the store that ``problem`` is written to."""
    config = problem.config
    return Header(
        kind="simulation",
        times=config.snapshots,
        particles=config.J,
        dim=config.dim,
        cases={name: tuple(case.values[name] for case in problem.cases) for name in config.swept()},
        case_count=len(problem.cases),
        units=problem.units,
        config=config.model_dump(mode="json"),
        attrs={
            "seed": config.seed,
            "versions": provenance.versions(config.flow, config.kernel, config.init),
            "command": provenance.command("simulate", config),
        },
    )


def continued_header(problem: Problem, stored: Run) -> Header:
    """The header for `continued`, with the state in which ``stored`` ended."""
    made = header(continued(problem, stored.header.times))
    end = {END_STATE: stored.attrs[END_STATE]} if END_STATE in stored.attrs else {}
    return replace(made, attrs=made.attrs | end)


def with_times(problem: Problem, times: tuple[float, ...]) -> Problem:
    """``problem`` with other snapshots."""
    return replace(problem, config=problem.config.model_copy(update={"snapshots": times, "T": times[-1]}))


def continued(problem: Problem, stored: tuple[float, ...]) -> Problem:
    """``problem`` with the snapshots ``stored`` and, after them, its own.

    As it is when it does not go on from them: it has an earlier end, or a snapshot that was passed by.
    """
    asked, end = problem.config.snapshots, stored[-1]
    later = tuple(t for t in asked if not any(_same(t, s) for s in stored))
    if any(t < end for t in later) or not (later or _same(asked[-1], end)):
        return problem
    return with_times(problem, stored + later)


def run_id(config: SimulateConfig) -> str:
    """What a checkpoint belongs to: the configuration without its times, which may be moved."""
    fields = config.model_dump(mode="json")
    kept = {name: value for name, value in fields.items() if name not in ("T", "snapshots")}
    return provenance.digest(kept | {"state": STATE})


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-9 * max(a, b)
