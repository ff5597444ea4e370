"""The four verbs as a notebook calls them. They never print and never exit: progress is a callback, errors are raised."""

from __future__ import annotations

from .comparing import compare
from .sampling import sample
from .simulating import simulate
from .training import train

__all__ = ["compare", "sample", "simulate", "train"]
