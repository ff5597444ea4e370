"""Durable Zarr stores; apart from `base.disk`, so that only writers and readers import zarr."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import zarr
from numpy.typing import ArrayLike, NDArray
from zarr.core.buffer import Buffer
from zarr.storage import LocalStore

from ..base import disk

Index = int | slice | tuple[int | slice, ...]


class DurableStore(LocalStore):
    """A folder whose files are on the disk, to the last byte, before they get their names."""

    async def set(self, key: str, value: Buffer) -> None:
        self._check_writable()
        await asyncio.to_thread(disk.put, self.root / key, value.as_buffer_like())

    async def set_if_not_exists(self, key: str, value: Buffer) -> None:
        if not (self.root / key).exists():
            await self.set(key, value)


class StoredArray(Protocol):
    """What ksdp asks of a `zarr.Array`."""

    def __getitem__(self, index: Index, /) -> NDArray[np.generic]: ...

    def __setitem__(self, index: Index, values: ArrayLike, /) -> None: ...

    def with_config(self, config: Mapping[str, bool], /) -> StoredArray: ...


class StoredGroup(Protocol):
    """What ksdp asks of a `zarr.Group`, whose members are arrays."""

    def __getitem__(self, name: str, /) -> StoredArray: ...


def open_group(root: Path, write: bool = False) -> StoredGroup:
    """Open the group at ``root`` by the metadata of its arrays, never by the consolidated copy."""
    store = DurableStore(root) if write else LocalStore(root, read_only=True)
    return cast(StoredGroup, zarr.open_group(store, mode="r+" if write else "r", use_consolidated=False))
