"""A Zarr group that ksdp did not write: its positions, where it has some, and else what it lacks to be a store."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.files import read_json
from ..errors import DataError
from . import layout

#: Bytes that are read for each that lies on the disk, and beside: a group may claim any size without holding it.
LARGEST_RATIO, SMALL = 100, 1 << 24


def has_positions(path: Path) -> bool:
    """Whether ``path`` is a Zarr group, of format 2 or 3, with an array ``position``, that ksdp did not write."""
    if (path / "position" / ".zarray").is_file():
        return (path / ".zgroup").is_file()
    try:
        root = read_json(path / "zarr.json") if (path / "position" / "zarr.json").is_file() else {}
        marks = {layout.MARK, layout.ROOT_DIGEST, layout.STATIC_DIGEST} & set(root.get("attributes", {}))
        return root.get("node_type") == "group" and not marks
    except (OSError, ValueError, AttributeError, TypeError):
        return False


def read_foreign(path: Path) -> dict[str, NDArray[np.floating]]:
    """``position`` (..., particle, axis), ``time`` and the coordinates of the cases, of a Zarr group or a NetCDF file.

    Axes that are named particle, axis and time are put in the order of a store. Raises `DataError`.
    """
    import xarray

    try:
        if path.is_dir():
            opened = xarray.open_zarr(path, consolidated=False, decode_times=False, chunks=None)
        else:
            opened = xarray.open_dataset(path, decode_times=False)
        held = sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())
        position, last = opened["position"], [name for name in ("time", "particle", "axis") if name in opened.sizes]
        require_plausible_size(math.prod(position.shape) * position.dtype.itemsize, held)
        position = position.transpose(..., *[name for name in last if name in position.dims])
        found = {"position": position.to_numpy()}
        if position.dims[:1] == ("time",):
            found["position"] = found["position"][None]
        for name, one in opened.variables.items():
            case = one.dims == position.dims[:1] and name not in ("case", "particle", "axis")
            if name != "position" and (case or (name == "time" and one.ndim == 1)):
                found[str(name)] = np.asarray(one.values)
    except Exception as error:  # zarr, xarray and codecs raise many kinds
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read: {told}", "write it with xarray.Dataset.to_zarr") from None
    return found


def require_plausible_size(claimed: int, held: int) -> None:
    """Raise `ValueError` where what is to be read is far more than what lies on the disk, in bytes."""
    if claimed > LARGEST_RATIO * held + SMALL:
        raise ValueError(f"it claims {claimed} bytes and holds {held}")


def advice(path: Path) -> str:
    """Advice for a folder that is no store of ours: what it holds, and which way in there is for it."""
    if has_positions(path):
        return (
            "it is a Zarr group with positions and without what says how they were made: compare, train and "
            "simulate --init take it"
        )
    try:
        kind = read_json(path / "zarr.json").get("node_type")
    except (OSError, ValueError, AttributeError):
        old = next((name for name in (".zgroup", ".zattrs", ".zmetadata") if (path / name).exists()), None)
        return "it is in Zarr format 2, without an array 'position'" if old else "check the path"
    arrays = sorted(file.parent.name for file in path.glob("*/zarr.json"))
    if kind == "array":
        return "it is one Zarr array, and a store is a group with an array 'position'"
    lacks = "" if "position" in arrays else ", and no 'position' (case, time, particle, axis)"
    return f"it is a Zarr group with {', '.join(arrays[:8]) or 'no array'}{lacks}"
