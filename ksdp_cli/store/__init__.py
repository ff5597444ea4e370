"""Particle arrays in Zarr: the only room that knows zarr and xarray."""

from __future__ import annotations

from .layout import Header
from .reader import Run, open_run
from .writer import Writer, create

__all__ = ["Header", "Run", "Writer", "create", "open_run"]
