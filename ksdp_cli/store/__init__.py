"""Particle arrays in Zarr: the only room that imports zarr and xarray."""

from __future__ import annotations

from ..base.disk import require_room
from .create import change_times, create
from .layout import Header
from .owner import Owner
from .reader import Run, open_run
from .writer import CaseWriter

__all__ = ["CaseWriter", "Header", "Owner", "Run", "change_times", "create", "open_run", "require_room"]
