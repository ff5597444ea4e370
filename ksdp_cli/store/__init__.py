"""Particle arrays in Zarr: the only room that imports zarr and xarray."""

from __future__ import annotations

from ..base.disk import require_room
from .create import change_times, create
from .layout import Header, shard_count
from .opening import open_run
from .owner import Owner
from .reader import Run
from .shards import ShardWriter
from .writer import CaseWriter

__all__ = [
    "CaseWriter",
    "Header",
    "Owner",
    "Run",
    "ShardWriter",
    "change_times",
    "create",
    "open_run",
    "require_room",
    "shard_count",
]
