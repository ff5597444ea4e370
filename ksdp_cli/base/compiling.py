"""That something is being compiled, and how long it took: told once, and left out of rates and estimates."""

from __future__ import annotations

import time
from collections.abc import Callable

#: What is compiled for this machine, by the module that it is in, and about how long all of it takes [s].
PARTS = (
    ("ksdp_generated", "this kernel", 2),
    ("ksdp_cli.particles.tree", "the tree", 10),
    ("ksdp_cli.particles.mesh", "the mesh", 10),
    ("ksdp_cli.chemistry", "the field", 10),
    ("ksdp_cli.learning", "the network", 5),
    ("ksdp_cli.assignment", "the distances", 5),
)
#: Called with a sentence when one of `PARTS` is about to be compiled, unless a longer one was told in this process.
tell: Callable[[str], None] | None = None
#: Seconds that this process has spent on it.
spent = 0.0
_began = 0.0
_told = 0


def clock() -> float:
    """Seconds that pass, those of compiling left out."""
    return time.monotonic() - spent


def begin(module: str) -> None:
    """A function of ``module`` is about to be compiled."""
    global _began, _told
    _began = time.monotonic()
    for name, what, seconds in PARTS:
        if module.startswith(name) and tell is not None and seconds > _told:  # the longer part is told too
            _told = seconds
            tell(f"compiling {what}, once on this machine (about {seconds} s; 'ksdp warm-up' does it beforehand)")


def end() -> None:
    """It is compiled."""
    global spent
    spent += time.monotonic() - _began
