"""Particle arrays in Zarr: the only room that knows zarr and xarray."""

from __future__ import annotations

from ..base.disk import require_room
from .create import change_times, create
from .layout import Header
from .reader import Run, open_run
from .writer import Writer

__all__ = ["Header", "Run", "Writer", "change_times", "create", "open_run", "require_room"]
