"""How far each case of a store is: done, running, begun and left, or to do."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from ..base.outputs import Lock
from ..store import Run
from .checkpoints import Checkpoints


@dataclass(frozen=True)
class CaseState:
    """``frames`` of a case are there; ``by`` says which process moves it."""

    case: int
    parameters: dict[str, float]
    frames: int
    state: str
    by: str | None = None

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def case_states(run: Run) -> list[CaseState]:
    """One for each case of a simulation.

    A case that workers move is locked by one; one process that moves all cases in turn locks the store alone.
    """
    saved = _saved(run)
    path, total = run.path, len(run.header.times)
    frames = run.progress()
    writers = [None if done == total else Lock.holder(_lock_of(run, case)) for case, done in enumerate(frames)]
    owner = None if any(writers) or run.complete else Lock.holder(path)
    found = []
    for case, (done, writer) in enumerate(zip(frames, writers, strict=True)):
        by = writer or (owner if done < total else None)
        begun = "begun" if done or str(case) in saved else "to do"
        found.append(
            CaseState(case, run.cases[case], done, "done" if done == total else "running" if by else begun, by)
        )
    return found


def _lock_of(run: Run, case: int) -> Path:
    return run.path.with_name(f"{run.path.name}.case-{case}")


def _saved(run: Run) -> set[str]:
    """The cases that have a checkpoint, by the names of their files."""
    folder = Checkpoints(run.path).folder
    return {name.split(".")[0] for name in os.listdir(folder)} if folder.is_dir() else set()
