"""The state of each case of a store: done, running, begun, or to do."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass

from ..base.outputs import Lock
from ..store import Run
from .checkpoints import Checkpoints


@dataclass(frozen=True)
class CaseState:
    """The number of ``frames`` of a case, its ``state``, and the process that writes it (``by``)."""

    case: int
    parameters: dict[str, float]
    frames: int
    state: str
    by: str | None = None

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def case_states(run: Run) -> list[CaseState]:
    """Return the state of each case of a simulation.

    A worker locks its case; a process that moves all cases in turn locks only the store.
    """
    checkpoints = _with_checkpoint(run)
    path, total = run.path, len(run.header.times)
    frames = run.progress()
    locks = [path.with_name(f"{path.name}.case-{case}") for case in range(len(frames))]
    writers = [None if count == total else Lock.holder(lock) for count, lock in zip(frames, locks, strict=True)]
    owner = None if any(writers) or run.complete else Lock.holder(path)
    states = []
    for case, (count, writer) in enumerate(zip(frames, writers, strict=True)):
        by = writer or (owner if count < total else None)
        waiting = "begun" if count or str(case) in checkpoints else "to do"
        states.append(
            CaseState(case, run.cases[case], count, "done" if count == total else "running" if by else waiting, by)
        )
    return states


def _with_checkpoint(run: Run) -> set[str]:
    """Return the cases with a checkpoint, by the names of their files."""
    folder = Checkpoints(run.path).folder
    return {name.split(".")[0] for name in os.listdir(folder)} if folder.is_dir() else set()
