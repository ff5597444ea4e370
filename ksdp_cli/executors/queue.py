"""Which jobs of this user wait or run, as ``squeue`` lists them.

Every Slurm has ``squeue``; ``sacct`` needs a database of accounts, and says nothing of a job where there is none.
"""

from __future__ import annotations

import os
import subprocess
import time

#: Seconds that one list serves: a controller that is asked more often is slow for everybody.
FRESH = 5.0
#: Seconds that a controller may take to answer.
PATIENCE = 30.0


class Queue:
    """The numbers of the jobs in the queue, read again when they are older than `FRESH` seconds."""

    def __init__(self) -> None:
        self._numbers: set[str] | None = None
        self._read = -FRESH

    def has(self, job: str) -> bool:
        """Whether ``job`` (``NUMBER`` or ``NUMBER_TASK``) waits or runs; where nobody answers, it does."""
        if time.monotonic() - self._read >= FRESH:
            self._numbers, self._read = _numbers(), time.monotonic()
        return self._numbers is None or job in self._numbers


def _numbers() -> set[str] | None:
    """The jobs and the tasks of arrays that wait or run, or None where the controller does not answer."""
    command = ["squeue", f"--user={os.getuid()}", "--noheader", "--array", "--format=%i"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return set(answer.stdout.split())
