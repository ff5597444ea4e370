"""Another process, so that its end is not ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any


def run(command: list[Any], seconds: float, python: bool = False) -> tuple[int | None, str]:
    """Exit code (None: out of time; negative: the signal), and all it said. ``python``: a script and its arguments."""
    head = [sys.executable, "-X", "faulthandler"] if python else []
    process = subprocess.Popen(
        [*head, *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=seconds)
        return process.returncode, said
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # compilers that it started, too
        said, _ = process.communicate()
        return None, f"{said}\nout of time after {seconds:.0f} s"
