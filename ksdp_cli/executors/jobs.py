"""A cluster job: runs calls one after the other, and writes the outcome of each to a file.

The files are JSON, so that a later driver can read them. A call stopped by a signal has no outcome: the cluster
restarts its job, or a later driver submits the call again.
"""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import errors
from ..base.files import read_json
from ..base.leaving import leave_at_once
from ..base.listener import Stop
from ..base.outputs import write_whole
from ..base.signals import graceful
from .base import listen
from .environment import ignore_sigint

if TYPE_CHECKING:
    from submitit.helpers import DelayedSubmission


@dataclass(frozen=True)
class Call:
    """A module-level function with arguments that are JSON."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]

    @property
    def key(self) -> str:
        """A digest of the call, the same in every process."""
        text = json.dumps([self.fn.__module__, self.fn.__qualname__, self.args])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Job:
    """Calls that one job runs in turn; ``folder`` receives their outcomes."""

    calls: list[Call]
    folder: Path

    def __call__(self) -> None:
        leave_at_once()
        ignore_sigint()  # SIGTERM ends the job
        for call in self.calls:
            file = outcome_of(self.folder, call.key)
            if file.exists():
                continue
            with graceful(signal.SIGTERM) as stop:
                listen(partial(_number, stop))
                try:
                    outcome: dict[str, Any] = {"value": call.fn(*call.args)}
                except errors.Interrupted:
                    raise
                except errors.KsdpError as error:
                    outcome = {"error": type(error).__name__, "message": error.message, "hint": error.hint}
                except Exception as error:
                    outcome = {"error": "", "message": f"{type(error).__name__}: {error}", "hint": None}
            with write_whole(file) as temporary:
                temporary.write_text(json.dumps(outcome), encoding="utf-8")

    def checkpoint(self) -> DelayedSubmission:
        """Return what submitit queues again at the job's time limit: the same calls, which skip finished work."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def _number(stop: Stop) -> int:
    return stop() or 0


def outcome_of(folder: Path, key: str) -> Path:
    """Return the file with the outcome of a call."""
    return folder / f"{key}.outcome.json"


def read_outcome(file: Path) -> tuple[object, Exception | None]:
    """Return the value of a call, or the exception it raised."""
    outcome = read_json(file)
    if "value" in outcome:
        return outcome["value"], None
    kind = getattr(errors, outcome["error"], None)
    if kind is None:
        return None, RuntimeError(f"{outcome['message']} (in a job; its log is in {file.parent})")
    return None, kind(outcome["message"], hint=outcome["hint"])
