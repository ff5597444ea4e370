"""Zarr groups that ksdp did not write: read their positions, or say what they lack."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..base.files import read_json
from ..errors import DataError
from . import layout

if TYPE_CHECKING:
    import xarray

#: Limits of a read: this many bytes for each byte on disk, plus a constant; metadata may claim any size.
LARGEST_RATIO, SMALL = 100, 1 << 24


def has_positions(path: Path) -> bool:
    """Whether ``path`` is a Zarr group of format 2 or 3 with an array ``position`` that ksdp did not write."""
    if (path / "position" / ".zarray").is_file():
        return (path / ".zgroup").is_file()
    try:
        root = read_json(path / "zarr.json") if (path / "position" / "zarr.json").is_file() else {}
        marks = {layout.MARK, layout.ROOT_DIGEST, layout.STATIC_DIGEST} & set(root.get("attributes", {}))
        return root.get("node_type") == "group" and not marks
    except (OSError, ValueError, AttributeError, TypeError):
        return False


def read_foreign(path: Path) -> dict[str, NDArray[np.floating]]:
    """Read ``position`` (..., particle, axis), ``time`` and the coordinates of cases from a Zarr group or NetCDF file.

    Axes with the names time, particle and axis are put in the order of a store. Raises `DataError`.
    """
    import xarray

    try:
        if path.is_dir():
            dataset = xarray.open_zarr(path, consolidated=False, decode_times=False, chunks=None)
        else:
            dataset = xarray.open_dataset(path, decode_times=False)
        size = sum(file.stat().st_size for file in (path, *path.rglob("*")) if file.is_file())
        position = dataset["position"]
        require_plausible_size(math.prod(position.shape) * position.dtype.itemsize, size)
        return arrays_of(dataset)
    except Exception as error:  # zarr, xarray and codecs raise many types
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path} cannot be read: {reason}", "write it with xarray.Dataset.to_zarr") from None


def arrays_of(dataset: xarray.Dataset) -> dict[str, NDArray[np.floating]]:
    """Return ``position`` (..., particle, axis), ``time`` and the coordinates of cases of a dataset."""
    position, last = dataset["position"], [name for name in ("time", "particle", "axis") if name in dataset.sizes]
    position = position.transpose(..., *[name for name in last if name in position.dims])
    arrays = {"position": position.to_numpy()}
    if position.dims[:1] == ("time",):
        arrays["position"] = arrays["position"][None]
    for name, one in dataset.variables.items():
        case = one.dims == position.dims[:1] and name not in ("case", "particle", "axis")
        if name != "position" and (case or (name == "time" and one.ndim == 1)):
            arrays[str(name)] = np.asarray(one.values)
    return arrays


def require_plausible_size(claim: int, size: int) -> None:
    """Raise `ValueError` if the claimed size is far more than the size on disk, both in bytes."""
    if claim > LARGEST_RATIO * size + SMALL:
        raise ValueError(f"it claims {claim} bytes and holds {size}")


def advice(path: Path) -> str:
    """Advise on what is not a ksdp store: say what it holds, and which commands read it."""
    if path.is_file():
        model = path.suffix == ".safetensors"
        return "it is a model" if model else "check the path; 'ksdp import' makes a store of a file of points"
    if has_positions(path):
        return (
            "it is a Zarr group with positions but without a configuration: compare, train and simulate --init read it"
        )
    try:
        kind = read_json(path / "zarr.json").get("node_type")
    except (OSError, ValueError, AttributeError):
        old = next((name for name in (".zgroup", ".zattrs", ".zmetadata") if (path / name).exists()), None)
        return "it is in Zarr format 2, without an array 'position'" if old else "check the path"
    arrays = sorted(file.parent.name for file in path.glob("*/zarr.json"))
    if kind == "array":
        return "it is one Zarr array, and a store is a group with an array 'position'"
    lacks = "" if "position" in arrays else ", but no 'position' (case, time, particle, axis)"
    return f"it is a Zarr group with {', '.join(arrays[:8]) or 'no array'}{lacks}"
