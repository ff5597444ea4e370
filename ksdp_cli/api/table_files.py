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
    """Read rows of numbers between commas, tabs, or semicolons, where a number may have a decimal comma.

    The first line may name the columns; then only the coordinates are read, see `_axes`.
    """
    advice = "give a particle per line, x,y or x,y,z"
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            head = file.readline()
            mark = next((mark for mark in ";\t" if mark in head), ",")
            names = [word.strip(' "\n') for word in head.lstrip("# ").split(mark)]
            has_header = not any(_is_number(word.replace(",", ".")) for word in names)
            if not has_header:
                file.seek(0)
            axes = _axes(path, names) if has_header else None
            frame = [names.index(name) for name in ("case", "time") if has_header and name in names]
            lines = (line.replace(",", ".") for line in file) if mark == ";" else file
            columns = None if axes is None else [*axes, *frame]
            with warnings.catch_warnings(action="error"):  # a table without rows
                rows = np.loadtxt(lines, delimiter=mark, usecols=columns, ndmin=2, quotechar='"')
    except (ValueError, OSError, UserWarning) as error:
        raise DataError(f"{path} is not a table of numbers: {error}", advice) from None
    if axes is None:
        return rows
    _require_one_frame(path, {names[column]: rows[:, len(axes) + k] for k, column in enumerate(frame)})
    return rows[:, : len(axes)]


def read_parquet(path: Path) -> NDArray[np.floating]:
    """Read the columns of `_axes`."""
    parquet = library("pyarrow.parquet", "Parquet")
    try:
        table = parquet.read_table(path)
        names = list(table.column_names)
        axes = _axes(path, names)
        frame = {name: table.column(name).to_numpy() for name in ("case", "time") if name in names}
        rows = np.stack([table.column(column).to_numpy() for column in axes], 1)
    except DataError:
        raise
    except Exception as error:  # pyarrow raises kinds of its own
        raise DataError(f"{path} is not a table of numbers: {_line(error)}", "give columns x, y or x, y, z") from None
    _require_one_frame(path, frame)
    return rows


def _axes(path: Path, names: list[str]) -> list[int]:
    """Return the numbers of the columns x, y, z or x1, x2, ... among ``names``, in capitals or not.

    Raises `DataError` if there are none, or y without x: another column might be no coordinate.
    """
    lower = [name.lower() for name in names]
    found = [name for name in AXES if name in lower]
    kinds = AXES[:3], AXES[3:]
    if not found or not any(tuple(found) == kind[: len(found)] for kind in kinds):
        raise DataError(
            f"{path} has the columns {', '.join(names)}", "name the coordinates x, y, z or x1, x2, ..., without a gap"
        )
    return [lower.index(name) for name in found]


def _require_one_frame(path: Path, columns: dict[str, NDArray[np.floating]]) -> None:
    """Raise `DataError` for more than one case or time, which a table of `ksdp export` may have."""
    for name, values in columns.items():
        if np.ptp(values):
            raise DataError(f"{path} holds more than one {name}, not one cloud", "give a file of one case and time")


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
