"""Reports compilation once, and measures its time, which rates and estimates leave out."""

from __future__ import annotations

import time
from collections.abc import Callable

#: Module, name for the user, approximate time to compile all of it [s], and whether `ksdp warm-up` does.
PARTS = (
    ("ksdp_generated", "this kernel", 2, True),
    ("ksdp_cli.particles.tree", "the tree", 10, True),
    ("ksdp_cli.particles.mesh", "the mesh", 10, True),
    ("ksdp_cli.chemistry.potential", "the field", 3, True),
    ("ksdp_cli.chemistry", "the chemical", 10, False),
    ("ksdp_cli.learning", "the network", 5, True),
    ("ksdp_cli.assignment", "the distances", 5, True),
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
    _, what, seconds, warm = next((part for part in PARTS if module.startswith(part[0])), ("", "", 0, False))
    if tell is not None and seconds > _longest:  # a longer part is reported too
        _longest = seconds
        beforehand = "; 'ksdp warm-up' does it beforehand" if warm else ""
        tell(f"compiling {what}, once on this machine (about {seconds} s{beforehand})")


def end() -> None:
    """Note that it is compiled."""
    global spent
    spent += time.monotonic() - _start
