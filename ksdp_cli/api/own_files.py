"""Read the caller's own clouds from files: one cloud (N, d), or several in the layout of `own_clouds`.

An .npz from ``ksdp export``, a NetCDF file and a Zarr group with an array ``position`` have that layout. Nothing is
unpickled.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from ..base.files import JsonDict
from ..base.shapes import Cloud
from ..errors import DataError
from ..initial.density import IMAGES
from ..store.foreign import has_positions, read_foreign, require_plausible_size
from .table_files import read_csv, read_parquet, read_vtk, read_vtkhdf

#: Largest part of a cloud's spread to which its positions may be rounded without a word.
COARSE = 1e-3


def is_own(path: Path) -> bool:
    """Whether a file, by its suffix, or a Zarr group, by its arrays, holds the caller's own clouds."""
    return path.suffix.lower() in SUFFIXES or has_positions(path)


def read_cloud(path: Path) -> Cloud:
    """Read the cloud (N, d) of a file. Raises `DataError`, also for a file with several clouds."""
    suffix = path.suffix.lower()
    if not path.exists():
        raise DataError(f"{path} does not exist", "check the path")
    if suffix in IMAGES:
        raise DataError(
            f"{path} is an image, not points", f"start a run from it: simulate --init density --grid {path}"
        )
    if not is_own(path):
        raise DataError(f"{path} is not a file of a cloud", f"give {', '.join(SUFFIXES)} or a Zarr group 'position'")
    if suffix in READERS:
        return own_cloud(READERS[suffix](path), str(path))
    position = read_arrays(path).get("position")
    if position is None or position.ndim not in (2, 3, 4) or any(n != 1 for n in position.shape[:-2]):
        shape = "no position" if position is None else f"position of shape {position.shape}"
        raise DataError(
            f"{path} holds {shape}, not one cloud", "give a file of one case and time: only 'ksdp train' reads several"
        )
    return own_cloud(position.reshape(position.shape[-2:]), str(path))


def read_arrays(path: Path) -> JsonDict:
    """Read the arrays of an .npz, NetCDF file or Zarr group by name, without ksdp's metadata. Raises `DataError`."""
    if path.suffix.lower() == ".nc" or has_positions(path):
        return read_foreign(path)
    if path.suffix.lower() != ".npz":
        raise DataError(f"{path} holds one cloud without parameters", "give an .npz with position and parameters")
    arrays = _load(path)
    if not isinstance(arrays, NpzFile):
        raise DataError(f"{path} holds one array, and nothing to learn", "write it with numpy.savez")
    with arrays:
        try:
            return {name: arrays[name] for name in arrays.files if name not in ("ksdp-metadata", "axis")}
        except Exception as error:  # as below
            raise DataError(f"{path} cannot be read: {error}", "arrays of numbers can") from None


def is_array(value: object) -> bool:
    """Whether ``value`` is an array or converts to one, as tensors and data frames do."""
    return hasattr(value, "__array__")


def is_dataset(value: object) -> bool:
    """Whether ``value`` is an `xarray.Dataset`, which need not be imported here."""
    return hasattr(value, "data_vars")


def own_cloud(value: object, name: str) -> Cloud:
    """Return an array (N, d), d = 1, 2, ..., as floating-point numbers. Raises `DataError` for anything else."""
    x = np.asarray(value)
    if x.dtype.kind not in "fiu":
        raise DataError(f"{name} is an array of {x.dtype}, not of numbers", "give an array (N, d) of floats")
    if x.ndim != 2 or not x.size:
        raise DataError(f"{name} has shape {x.shape}", "a cloud is (N, d): N particles in d dimensions")
    x = x if x.dtype.kind == "f" else x.astype(np.float64)
    bad = np.flatnonzero(~np.isfinite(x).all(1))
    if bad.size:
        message = f"{len(bad)} of {len(x)} rows of {name} hold nan or inf, the first is row {bad[0]}"
        raise DataError(message, "remove these rows, or correct them")
    return x


def rounding_doubt(cloud: Cloud, name: str) -> str | None:
    """Say so where float32, in which clouds are stored, rounds a cloud (N, d) to more than `COARSE` of its spread."""
    with np.errstate(over="ignore", invalid="ignore"):  # others refuse what is not finite
        width, largest = float(cloud.std(0, np.float64).max()), float(np.abs(cloud).max())
    step = largest * float(np.finfo(np.float32).eps)
    if not step > COARSE * width > 0:
        return None
    return (
        f"so far from the origin, float32 rounds the positions of the {name} to {step:.2g}, "
        f"{step / width:.2g} of their spread: subtract their mean first"
    )


def _load(path: Path) -> NDArray[np.generic] | NpzFile:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                require_plausible_size(sum(member.file_size for member in archive.infolist()), path.stat().st_size)
            several: NDArray[np.generic] | NpzFile = np.load(path, allow_pickle=False)
            return several
        return np.array(np.load(path, mmap_mode="r", allow_pickle=False))  # a map is no longer than its file
    except Exception as error:  # NumPy and zipfile raise many kinds for a header of numbers that cannot be
        raise DataError(f"{path} cannot be read: {error}", "write it with numpy.save or numpy.savez") from None


#: Files that hold one cloud.
READERS = {
    ".npy": _load,
    ".csv": read_csv,
    ".parquet": read_parquet,
    ".vtk": read_vtk,
    ".vtkhdf": read_vtkhdf,
}
#: Files that may hold several: .npz in the layout of `own_clouds`, NetCDF in that of a store.
SUFFIXES = (*READERS, ".npz", ".nc")
