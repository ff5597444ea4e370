"""Read one cloud (N, d) from a table or a VTK file: CSV, Parquet, VTKHDF and legacy VTK."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.libraries import library
from ..errors import DataError
from ..store.layout import MOST_AXES

#: Names of the columns that are positions.
AXES = ("x", "y", "z", *(f"x{k}" for k in range(1, MOST_AXES + 1)))
#: Types of the points of a legacy VTK file; it is big-endian.
VTK_TYPES = {"float": ">f4", "double": ">f8", "int": ">i4", "long": ">i8"}


def read_csv(path: Path) -> NDArray[np.floating]:
    """Read rows of numbers; the first line may name the columns, see `_positions`."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            names = [word.strip().strip('"').lower() for word in file.readline().split(",")]
        has_header = not any(_is_number(word) for word in names)
        with warnings.catch_warnings(action="error"):  # a table without rows
            rows = np.loadtxt(path, delimiter=",", skiprows=int(has_header), ndmin=2, encoding="utf-8-sig")
        if has_header and "" in names:
            raise ValueError("a column has no name, such as the index that pandas writes without index=False")
    except (ValueError, OSError, UserWarning) as error:
        raise DataError(
            f"{path} is not a table of numbers: {error}", "give a particle per line, x,y or x,y,z"
        ) from None
    return _positions(path, dict(zip(names, rows.T, strict=True)), rows) if has_header else rows


def read_parquet(path: Path) -> NDArray[np.floating]:
    """Read the columns of `_positions` of a table of numbers."""
    parquet = library("pyarrow.parquet", "Parquet")
    try:
        table = parquet.read_table(path)
        columns = {name: table.column(name).to_numpy() for name in table.column_names}
        rows = np.stack(list(columns.values()), 1)
    except Exception as error:  # pyarrow raises kinds of its own
        raise DataError(f"{path} is not a table of numbers: {_line(error)}", "give columns x, y or x, y, z") from None
    return _positions(path, columns, rows)


def _positions(
    path: Path, columns: dict[str, NDArray[np.floating]], rows: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Return the columns x, y, z, or x1, x2, ...; all columns if none has such a name.

    So a table from ``ksdp export`` with one frame is a cloud. Raises `DataError` for more than one case or time.
    """
    axes = [columns[name] for name in AXES if name in columns]
    if not axes:
        return rows
    for name in {"case", "time"} & set(columns):
        if np.ptp(columns[name]):
            raise DataError(f"{path} holds more than one {name}, not one cloud", "give a file of one case and time")
    return np.stack(axes, 1)


def read_vtkhdf(path: Path) -> NDArray[np.floating]:
    """Read the points of a VTKHDF file with one step and one part."""
    h5py = library("h5py", "VTKHDF")
    try:
        with h5py.File(path, "r") as file:
            points, count = np.asarray(file["VTKHDF/Points"]), np.asarray(file["VTKHDF/NumberOfPoints"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} cannot be read: {_line(error)}", "give a VTKHDF file of points") from None
    if count.size != 1:
        raise DataError(f"{path} holds {count.size} clouds, not one", "give a file of one case and time")
    return _flat(points)


def read_vtk(path: Path) -> NDArray[np.floating]:
    """Read the points of a legacy VTK file, text or binary."""
    text = path.read_bytes()
    head, keyword, rest = text.partition(b"POINTS")
    try:
        if not keyword or not head.startswith(b"# vtk DataFile"):
            raise ValueError("it has no POINTS")
        line, _, data = rest.partition(b"\n")
        count, kind = int(line.split()[0]), line.split()[1].decode()
        if b"BINARY" in head:
            points = np.frombuffer(data, VTK_TYPES[kind], 3 * count).astype(np.float64)
        else:
            points = np.array(data.split(None, 3 * count)[: 3 * count], np.float64)
        return _flat(points.reshape(count, 3))
    except (ValueError, KeyError, IndexError) as error:
        raise DataError(f"{path} cannot be read: {_line(error)}", "give a legacy VTK file, or .vtkhdf") from None


def _flat(points: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return VTK's points (N, 3) as a cloud, in 2D if every z is 0."""
    return points if points[:, 2].any() else points[:, :2]


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
