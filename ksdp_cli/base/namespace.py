"""Where the number of a process means that process: this machine since its start, and in a container that container.

Containers may have the name of another container or machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
from pathlib import Path


def process_numbers() -> str:
    """Return the system's name for the numbers of processes that hold here, as ``pid:[4026531836]``, or nothing."""
    with contextlib.suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def mark() -> str:
    """Return 8 characters that two processes share where each finds the other by its number.

    Without /proc the name of the machine must do.
    """
    parts = [platform.node(), process_numbers()]
    with contextlib.suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


NAMESPACE = mark()
