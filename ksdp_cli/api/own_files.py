"""Clouds of the caller's own out of files: .npy and .csv hold one cloud (N, d), .npz the layout of `own_clouds`.

An .npz that ``ksdp export`` wrote has that layout, and so has a Zarr group of another program with an array
``position``. Nothing is unpickled.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from ..base.shapes import Cloud
from ..errors import DataError
from ..store.foreign import has_positions, read_foreign

SUFFIXES = (".npy", ".csv", ".npz")


def is_own(path: Path) -> bool:
    """Whether a file by its name, or a Zarr group by what is in it, holds clouds of the caller's own."""
    return path.suffix.lower() in SUFFIXES or has_positions(path)


def read_cloud(path: Path) -> Cloud:
    """The one cloud (N, d) of a file; of one that holds several, none. Raises `DataError`."""
    if path.suffix.lower() not in (".npy", ".csv"):
        position = read_arrays(path).get("position")
        if position is None or position.ndim not in (2, 3, 4) or any(n != 1 for n in position.shape[:-2]):
            shape = "no position" if position is None else f"position of shape {position.shape}"
            raise DataError(f"{path} holds {shape}, not one cloud", "give a file of one case and time")
        return own_cloud(position.reshape(position.shape[-2:]), str(path))
    return own_cloud(_table(path) if path.suffix.lower() == ".csv" else _load(path), str(path))


def read_arrays(path: Path) -> dict[str, Any]:
    """The arrays of an .npz or a Zarr group by name, without what ksdp says about itself. Raises `DataError`."""
    if has_positions(path):
        return read_foreign(path)
    if path.suffix.lower() != ".npz":
        raise DataError(f"{path} holds one cloud, and nothing to learn", "give an .npz with position and parameters")
    with _load(path) as stored:
        try:
            return {name: stored[name] for name in stored.files if name not in ("ksdp-metadata", "axis")}
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise DataError(f"{path} cannot be read: {error}", "arrays of numbers can") from None


def is_array(given: Any) -> bool:
    """Whether something is an array, or makes one of itself, as tensors and data frames do."""
    return hasattr(given, "__array__")


def own_cloud(given: Any, name: str) -> Cloud:
    """An array (N, d), d = 1, 2, ..., as floating-point numbers. Raises `DataError` for what is none."""
    x = np.asarray(given)
    if x.dtype.kind not in "fiu":
        raise DataError(f"the {name} is an array of {x.dtype}, not of numbers", "give an array (N, d) of floats")
    if x.ndim != 2 or not x.size:
        raise DataError(f"the {name} has shape {x.shape}", "a cloud is (N, d): N particles in d dimensions")
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def _load(path: Path) -> Any:
    try:
        return np.load(path, allow_pickle=False)
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} cannot be read: {error}", "write it with numpy.save or numpy.savez") from None


def _table(path: Path) -> np.ndarray:
    """Rows of numbers; the first line may name the columns."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            named = any(not _is_number(word) for word in file.readline().split(","))
        return np.loadtxt(path, delimiter=",", skiprows=int(named), ndmin=2, encoding="utf-8-sig")
    except (ValueError, OSError) as error:
        raise DataError(f"{path} is no table of numbers: {error}", "give one particle a line, x,y or x,y,z") from None


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
