"""Reports compilation once, and measures its time, which rates and estimates leave out."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Module, name for the user, and approximate time to compile all of it [s].
PARTS = (
    ("ksdp_generated", "this kernel", 2),
    ("ksdp_cli.particles.tree", "the tree", 10),
    ("ksdp_cli.particles.mesh", "the mesh", 10),
    ("ksdp_cli.chemistry", "the field", 10),
    ("ksdp_cli.learning", "the network", 5),
    ("ksdp_cli.assignment", "the distances", 5),
)
#: Called with a sentence before one of `PARTS` is compiled, unless this process has reported a longer one.
tell: Callable[[str], None] | None = None
#: Seconds that this process has spent compiling.
spent = 0.0
_start = 0.0
_longest = 0


def clock() -> float:
    """Return a monotonic time in seconds that stands still during compilation."""
    return time.monotonic() - spent


def begin(module: str) -> None:
    """Note that a function of ``module`` is about to be compiled."""
    global _start, _longest
    _start = time.monotonic()
    for name, what, seconds in PARTS:
        if module.startswith(name) and tell is not None and seconds > _longest:  # a longer part is reported too
            _longest = seconds
            tell(f"compiling {what}, once on this machine (about {seconds} s; 'ksdp warm-up' does it beforehand)")


def end() -> None:
    """Note that it is compiled."""
    global spent
    spent += time.monotonic() - _start
