"""The warning about steps too long for the flow, with options that pass the same trial."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..config import AUTO, SCHEME
from .components import load
from .flow_steps import TARGET, FlowDoubt, flow_doubt
from .preflight import rounded
from .problem import Problem


def flow_warning(problem: Problem) -> str | None:
    """The sentence of `flow_doubt`, or None. Whoever follows an advice in it is not warned again."""
    doubt = flow_doubt(problem)
    if not doubt:
        return None
    wrong = f"may be off by over {TARGET:.0%}"
    if doubt.error is not None:
        wrong = f"is off by about {np.format_float_positional(100 * doubt.error, 2, fractional=False, trim='-')}%"
    advice = [_shorter(problem, doubt), *_auto(problem)]
    return (
        f"the flow moves particles by {doubt.travel:.2g} of its length scale in one step of dt = {doubt.dt:.3g}"
        f"{doubt.case.place}: E|X|^2 {wrong}; use {' or '.join(advice)}"
    )


def _shorter(problem: Problem, doubt: FlowDoubt) -> str:
    """A step that holds with the scheme and the halvings of this run, which ``--dt auto`` may have set."""
    c, dt = problem.config, rounded(doubt.resolved)
    while rest := flow_doubt(_changed(problem, dt=float(dt))):  # each is at most 0.71 of the one before
        dt = rounded(rest.resolved)
    scheme = f" --scheme {c.scheme}" if c.halvings or c.scheme != SCHEME else ""
    return f"--dt {dt}{scheme}" + (f" --halvings {c.halvings}" if c.halvings else "")


def _auto(problem: Problem) -> list[str]:
    """``--dt auto`` where it holds: steps are halved on the CPU, by delta, and not where ``halvings`` is given as 0."""
    c, first_order = problem.config, problem.scheme.order == 1
    given_as_0 = "halvings" in c.model_fields_set and not c.halvings
    if given_as_0 or min(c.delta2) == 0 or c.place == "cuda":
        return []
    changes = AUTO | ({"halvings": c.halvings} if c.halvings else {}) | ({} if first_order else {"scheme": c.scheme})
    holds = flow_doubt(_changed(problem, **changes)) is None
    return [f"--dt auto --scheme {AUTO['scheme']}" if first_order else "--dt auto"] if holds else []


def _changed(problem: Problem, **changes: object) -> Problem:
    """``problem`` with other values of dt, scheme and halvings."""
    scheme = load("scheme", changes["scheme"])[1] if "scheme" in changes else problem.scheme
    return replace(problem, config=problem.config.model_copy(update=changes), scheme=scheme)
