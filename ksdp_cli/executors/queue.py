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
#: Failures one after the other until the user is told.
FAILURES = 3


class Queue:
    """The numbers of the jobs in the queue, read again when they are older than `FRESH` seconds."""

    def __init__(self) -> None:
        self._numbers: set[str] | None = None
        self._read_at = -FRESH
        self._failures, self._reason = 0, ""

    def has(self, job: str) -> bool:
        """Whether ``job`` (``NUMBER`` or ``NUMBER_TASK``) waits or runs; where nobody answers, it does."""
        if time.monotonic() - self._read_at >= FRESH:
            self._numbers = self._list()
            self._read_at = time.monotonic()
        return self._numbers is None or job in self._numbers

    def trouble(self) -> str:
        """Say that the controller has not answered for some time; empty if it has."""
        if self._failures < FAILURES:
            return ""
        return f"squeue does not answer ({self._reason}); the jobs may go on, and this command waits for their results"

    def _list(self) -> set[str] | None:
        """The jobs and the tasks of arrays that wait or run, or None where the controller does not answer."""
        command = ["squeue", f"--user={os.getuid()}", "--noheader", "--array", "--format=%i"]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
        except (OSError, subprocess.SubprocessError) as error:
            message = error.stderr if isinstance(error, subprocess.CalledProcessError) else None
            late = f"nothing for {PATIENCE:.0f} s" if isinstance(error, subprocess.TimeoutExpired) else str(error)
            self._reason = ((message or "").strip() or late).splitlines()[-1]
            self._failures += 1
            return None
        self._failures = 0
        return set(answer.stdout.split())
