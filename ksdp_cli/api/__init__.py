"""The four verbs as a notebook calls them: they never print, never exit, and take callbacks for progress."""

from __future__ import annotations

from .comparing import compare
from .sampling import sample
from .simulating import simulate
from .training import train

__all__ = ["compare", "sample", "simulate", "train"]
