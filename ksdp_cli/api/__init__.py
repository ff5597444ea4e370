"""The four verbs as a notebook calls them: they never print, never exit, and take callbacks for progress."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazily

if TYPE_CHECKING:
    from .comparing import compare
    from .sampling import sample
    from .simulating import simulate
    from .training import train

__all__ = ["compare", "sample", "simulate", "train"]
_HOMES = {"compare": ".comparing", "sample": ".sampling", "simulate": ".simulating", "train": ".training"}
__getattr__ = lazily(__name__, _HOMES)
