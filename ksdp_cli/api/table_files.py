"""Read one cloud (N, d) from a table or a VTK file: CSV, Parquet, VTKHDF and legacy VTK."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.libraries import library
from ..errors import DataError
from ..store.layout import MOST_AXES

#: Names of the columns that tell clouds apart, in tables of `ksdp export` and of programs that track cells.
FRAMES = ("case", "time", "t", "frame")
#: Names of the columns that are positions.
AXES = ("x", "y", "z", *(f"x{k}" for k in range(1, MOST_AXES + 1)))
#: Types of the points of a legacy VTK file; it is big-endian.
VTK_TYPES = {"float": ">f4", "double": ">f8", "int": ">i4", "long": ">i8"}


def read_csv(path: Path) -> NDArray[np.floating]:
    """Read rows of numbers between commas, tabs, or semicolons, where a number may have a decimal comma.

    The first line that is no comment may name the columns, as may a comment; then only the coordinates are read, see
    `_columns`.
    """
    advice = "give a particle per line, x,y or x,y,z"
    try:
        with path.open(encoding="utf-8-sig", errors="replace") as file:
            start, mark, names = file.tell(), ",", [""]
            for line in iter(file.readline, ""):
                mark, names = _split(line)
                is_comment = line.lstrip().startswith("#")
                if line.strip() and not (is_comment and (_coordinates(names) == 0 or any(" " in one for one in names))):
                    break
                start = file.tell()
            axes, frame, numbers = None, dict[str, int](), [_is_number(word.replace(",", ".")) for word in names]
            if _coordinates(names) or not any(numbers):
                axes, frame = _columns(path, names)
            else:
                file.seek(start)
            columns = None if axes is None else [*axes, *frame.values()]
            # a label in the first column may begin with #
            words_of: dict[str, set[object]] = {name: set() for name in frame}
            converters: dict[int | str, Callable[[str], float]] = {
                number: _into(words_of[name]) for name, number in frame.items()
            }
            rows_of = (line for line in file if not (columns is None or 0 in columns) or line.lstrip()[:1] != "#")
            lines = (line.replace(",", ".") for line in rows_of) if mark == ";" else rows_of
            with warnings.catch_warnings(action="error"):  # a table without rows
                rows = np.loadtxt(
                    lines, delimiter=mark, usecols=columns, ndmin=2, quotechar='"', comments=None, converters=converters
                )
    except (ValueError, OSError, UserWarning, csv.Error) as error:
        raise DataError(f"{path} is not a table of numbers: {error}", advice) from None
    if axes is None:
        return rows
    _require_one_frame(path, {name: len(words) for name, words in words_of.items()})
    return rows[:, : len(axes)]


def _split(line: str) -> tuple[str, list[str]]:
    """Return the mark between the words of a line, and the words: that which yields most coordinates, else most words,
    where a comma may be a decimal one."""
    text = line.strip("\n").lstrip("# ")
    words = {mark: [one.strip(' "') for one in next(csv.reader([text], delimiter=mark), [""])] for mark in ";\t,"}
    mark = max(words, key=lambda mark: (_coordinates(words[mark]), len(words[mark]) > 1))
    return mark, words[mark]


def read_parquet(path: Path) -> NDArray[np.floating]:
    """Read the coordinates of `_columns`."""
    parquet = library("pyarrow.parquet", "Parquet")
    try:
        table = parquet.read_table(path)
        axes, frame = _columns(path, list(table.column_names))
        counts = {name: len(table.column(column).unique()) for name, column in frame.items()}
        rows = np.stack([table.column(column).to_numpy() for column in axes], 1)
    except DataError:
        raise
    except Exception as error:  # pyarrow raises kinds of its own
        raise DataError(f"{path} is not a table of numbers: {_line(error)}", "give columns x, y or x, y, z") from None
    _require_one_frame(path, counts)
    return rows


def _coordinates(names: list[str]) -> int:
    """Count the columns of ``names`` that are coordinates."""
    return sum(name.lower() in AXES for name in names)


def _columns(path: Path, names: list[str]) -> tuple[list[int], dict[str, int]]:
    """Return the numbers of the columns x, y, z or x1, x2, ..., and of `FRAMES`, in capitals or not; but T is
    a temperature, not the time.

    Raises `DataError` if there are no coordinates, or y without x, since another column might be no coordinate; and for
    one of these names that comes twice.
    """
    lower = [name if name == "T" else name.lower() for name in names]
    found = [name for name in AXES if name in lower]
    frame = [name for name in FRAMES if name in lower]
    kinds = AXES[:3], AXES[3:]
    if not found or not any(tuple(found) == kind[: len(found)] for kind in kinds):
        raise DataError(
            f"{path} has the columns {', '.join(names)}", "name the coordinates x, y, z or x1, x2, ..., without a gap"
        )
    if twice := [name for name in (*found, *frame) if lower.count(name) > 1]:
        same = ", ".join(name for name, one in zip(names, lower, strict=True) if one == twice[0])
        raise DataError(f"{path} has several columns {twice[0]}: {same}", "leave one of them")
    return [lower.index(name) for name in found], {name: lower.index(name) for name in frame}


def _into(values: set[object]) -> Callable[[str], float]:
    """Return a converter of `numpy.loadtxt` that adds each word, a number or not, to ``values``; nan is one value."""

    def convert(word: str) -> float:
        value = float(word) if _is_number(word) else word.strip()
        values.add("nan" if value != value else value)
        return 0.0

    return convert


def _require_one_frame(path: Path, counts: dict[str, int]) -> None:
    """Raise `DataError` for a table with the clouds of several cases or times: ``counts`` of values by column."""
    for name, count in counts.items():
        if count > 1:
            hint = f"write one file per {name}, or rename that column if it is no {'time' if name == 't' else name}"
            raise DataError(f"{path} holds more than one {name}, not one cloud", hint)


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
