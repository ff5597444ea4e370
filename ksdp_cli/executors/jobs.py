"""What a job of a cluster does: calls one after the other, and a file with the outcome of each.

The files are JSON, so that a driver that comes later reads what it did not wait for. A call that was stopped by a
signal has no outcome: its job is begun again by the cluster, or the call is sent anew.
"""

from __future__ import annotations

import hashlib
import json
import signal
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from .. import errors
from ..base.files import read_json
from ..base.listener import Stop
from ..base.outputs import write_whole
from ..base.signals import graceful
from .base import listen


@dataclass(frozen=True)
class Call:
    """A function of a module with arguments that JSON holds."""

    fn: Callable[..., Any]
    args: tuple[Any, ...]

    @property
    def key(self) -> str:
        """The same for the same call, in every process."""
        text = json.dumps([self.fn.__module__, self.fn.__qualname__, self.args])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Job:
    """Calls that one job makes in turn; ``folder`` receives their outcomes."""

    calls: list[Call]
    folder: Path

    def __call__(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's: who wants the job to end sends SIGTERM
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

    def checkpoint(self) -> Any:
        """What submitit queues again where the job has no time left: the same calls, which find what is done."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self)


def _number(stop: Stop) -> int:
    return stop() or 0


def outcome_of(folder: Path, key: str) -> Path:
    """Where the outcome of a call is."""
    return folder / f"{key}.outcome.json"


def read_outcome(file: Path) -> tuple[object, Exception | None]:
    """The value of a call, or what it raised."""
    found = read_json(file)
    if "value" in found:
        return found["value"], None
    kind = getattr(errors, found["error"], None)
    if kind is None:
        return None, RuntimeError(f"{found['message']} (in a job; its log is in {file.parent})")
    return None, kind(found["message"], hint=found["hint"])
