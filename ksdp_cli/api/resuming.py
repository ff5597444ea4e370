"""Resume a run: each case from its checkpoint, from the last frame of a complete run, or from t0."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NotRequired, TypedDict, cast

import numpy as np

from ..base import checkpoint
from ..base.files import JsonDict, parse_json
from ..base.records import EndState, Record, SavedCase, as_record
from ..errors import DataError
from ..particles.case_run import CaseRun, State
from ..particles.halving import Place
from ..particles.simulation import Simulation
from ..store import Owner, Run, open_run
from .case_store import CaseStore
from .checkpoints import Checkpoints
from .following import from_columns
from .headers import END_STATE, MADE_BY, belongs, marks, require_same_kind

#: Header and arrays of a state.
Saved = tuple["Header", dict[str, np.ndarray]]


class Header(TypedDict):
    """What is read of the header of a case's state, which `ksdp_cli.base.records.SavedCase` has checked."""

    source: str
    k: int
    step: int
    engine: dict[str, Any]
    collapsed: float | None
    halved: NotRequired[dict[str, Any]]
    fastest: NotRequired[float]
    followed: NotRequired[dict[str, Any] | None]
    seconds: float


def restore(
    simulation: Simulation,
    writer: Owner | CaseStore,
    resume: bool,
    warn: Callable[[str], None] | None,
    kind: dict[str, str],
) -> float:
    """Restore the state of every case of ``simulation``; start a new run at its beginning.

    Returns the seconds spent before. ``warn`` receives each skipped checkpoint. Raises `ConfigError` if ``kind``
    (device and engine) differs from that of a state or of the stored frames, and `DataError` for a state that does not
    fit.
    """
    files = Checkpoints(writer.path)
    files.claim([run.case.number for run in simulation.runs], resume)
    if not resume:
        files.remove()
        simulation.start()
        return 0.0
    store = open_run(writer.path)
    end = store if len(store.times) else None
    last = _Last(end, simulation, kind) if end else None
    seconds = 0.0
    for run in simulation.runs:
        unfit = _fitness(run, writer, kind)
        newest, passed_over = checkpoint.newest(files.of(run.case.number), unfit)
        saved_state = (cast(Header, newest[0]), newest[1]) if newest else None
        if saved_state is None and last:
            saved_state = last.state(run)
        if saved_state is None:
            if end or MADE_BY in store.attrs:
                require_same_kind(store.attrs, kind, str(writer.path))
            checkpoint.remove(files.of(run.case.number))
            run.start()
        else:
            _put(run, saved_state)
            seconds = max(seconds, float(saved_state[0]["seconds"]))
        instead = f"going on from {saved_state[0]['source']}" if saved_state else f"starting from t = {run.config.t0:g}"
        for reason in passed_over:
            if warn:
                warn(f"{reason}; {instead}{'' if saved_state else '; stored frames stay'}")
    return seconds


def _fitness(
    run: CaseRun, writer: Owner | CaseStore, kind: dict[str, str]
) -> Callable[[dict[str, object]], str | None]:
    """Return a function that says what is wrong with the header of a case's checkpoint, or None."""

    frames = writer.progress()[run.case.number]

    def unfit(about: JsonDict) -> str | None:
        reason = _unfit(run, about, SavedCase, kind, f"the state of {writer.path}")
        if reason:
            return reason
        if about["k"] > frames:
            return f"is later than the {frames} frames of {writer.path}"
        if about.get("halved", {}).get("offset", 0) >= 1 << run.config.halvings:
            return f"is at part {about['halved']['offset']} of {1 << run.config.halvings} of a step"
        steps = run.plan[about["k"]].count if about["k"] < len(run.plan) else 0
        if about["step"] > steps:
            return f"is at step {about['step']} of {steps}"
        return None if _same_engine(about["engine"], run) else "was written by another version"

    return unfit


def _unfit(run: CaseRun, about: dict[str, object], record: type[Record], kind: dict[str, str], what: str) -> str | None:
    """Return the first reason why a state does not belong to this run, or None. Raises `ConfigError` for another
    ``kind``."""
    try:
        as_record(record, about)
    except ValueError as error:
        return f"cannot be used: {error}"
    if not belongs(about, run.config, marks(run.problem)):
        return "belongs to another run"
    require_same_kind(about, kind, what)
    return None


def _same_engine(state: dict[str, object], run: CaseRun) -> bool:
    """Whether an engine's state has the entries of the current version; a tree that has not run yet has none."""
    now = run.engine.state() if run.engine else {}
    return not state or not now or state.keys() == now.keys()


class _Last:
    """The final states of a complete run: its last frames, and the attribute with the rest."""

    def __init__(self, end: Run, simulation: Simulation, kind: dict[str, str]) -> None:
        self.end, self.about = end, None
        if END_STATE not in end.attrs:
            return
        try:
            about = parse_json(end.attrs[END_STATE])
        except ValueError as error:
            raise DataError(f"{end.path}: {END_STATE} is unreadable ({error})", "the store is damaged") from None
        fits = _unfit(simulation.runs[0], about, EndState, kind, f"the state of {end.path}") is None
        if fits and about["k"] <= len(end.times) and len(about["engines"]) == len(end.cases):
            self.about = about

    def state(self, run: CaseRun) -> Saved | None:
        """Return header and arrays as of a checkpoint; None if the frames do not hold the whole state."""
        if self.about is None or not _same_engine(self.about["engines"][run.case.number], run):
            return None
        number, k = run.case.number, self.about["k"]
        header: Header = {
            "source": "the last frame",
            "k": k,
            "step": 0,
            "engine": self.about["engines"][number],
            "collapsed": self.about.get("collapsed", {}).get(str(number)),
            "halved": (self.about.get("halved") or [{}] * (number + 1))[number],
            "followed": (self.end.attrs.get("followed") or [None] * (number + 1))[number],
            "fastest": (self.about.get("fastest") or [0.0] * (number + 1))[number],
            "seconds": self.about["seconds"],
        }
        return header, {"x": self.end.stored(number, k - 1)}


def _put(run: CaseRun, state_and_arrays: Saved) -> None:
    """Set the state of a case. Raises `DataError` for positions or engine states that do not fit."""
    about, arrays = state_and_arrays
    shape = (run.config.J, run.config.dim)
    x = arrays.get("x")
    whole = all(np.isfinite(array).all() for array in arrays.values())
    if x is None or x.shape != shape or x.dtype != run.config.dtype or not whole:
        message = f"{about['source']} holds no positions {shape} of {run.config.dtype} that are finite"
        raise DataError(message, "use --overwrite")
    try:
        place = Place(**about.get("halved", {}))
        state = State(arrays, about["k"], about["step"], about["engine"], about["collapsed"], place)
        state.looks = from_columns(about.get("followed"))
        state.fastest = about.get("fastest", 0.0)  # older checkpoints have none
        run.restore(state)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise DataError(f"{about['source']} does not fit ({error})", "use --overwrite to start again") from None
