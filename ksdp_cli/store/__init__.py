"""Particle arrays in Zarr: the only room that knows zarr and xarray."""

from __future__ import annotations

from .layout import Header
from .place import create
from .reader import Run, open_run
from .writer import Writer

__all__ = ["Header", "Run", "Writer", "create", "open_run"]
