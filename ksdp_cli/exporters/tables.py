"""Exports as a table: one row a particle, case and snapshot. CSV through pandas, Parquet through pyarrow."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import numpy as np

from ..base.libraries import library
from ..errors import ConfigError
from ..store import layout
from ..store.selection import Selection

#: Key of a Parquet file's metadata.
KEY = b"ksdp"


def columns(selection: Selection) -> list[str]:
    """case, the swept parameters, time, particle, x, y(, z), or x1, x2, ... of more dimensions.

    Raises `ConfigError` for two columns of one name.
    """
    names = ["case", *selection.parameters, "time", "particle", *layout.axes_of(selection.run.dim)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ConfigError(f"a parameter has the name of axis {twice[0]!r}", "export to .npz or .nc")
    return names


def _tables(selection: Selection) -> Iterator[dict[str, np.ndarray]]:
    """Columns of each block of the store in turn."""
    run, names = selection.run, columns(selection)
    for i, j, start, block in selection.blocks():
        n = len(block)
        here = [selection.cases[i], *(values[i] for values in selection.parameters.values()), selection.times[j]]
        types = [np.int32, *(layout.kind_of(*one) for one in selection.parameters.items()), np.float64]
        constant = [np.full(n, value, kind) for value, kind in zip(here, types, strict=True)]
        values = [*constant, np.arange(start, start + n), *(np.ascontiguousarray(block[:, a]) for a in range(run.dim))]
        yield dict(zip(names, values, strict=True))


def write_csv(
    selection: Selection, path: Path, metadata: Mapping[str, object], progress: Callable[[int], None]
) -> None:
    """Plain CSV with a line of names; positions with the digits that give the same float32 back.

    The format has no place for metadata.
    """
    pandas = library("pandas", "CSV")
    with path.open("w", encoding="ascii", newline="") as file:
        done = 0
        for table in _tables(selection):
            pandas.DataFrame(table).to_csv(file, index=False, header=done == 0, lineterminator="\n")
            done += len(table["particle"])
            progress(done)


def ours_csv(path: Path) -> bool:
    """Recognise an exported CSV by its header line."""
    with path.open("rb") as file:
        names = file.readline(1 << 16).decode("ascii").rstrip("\n").split(",")
    return names[0] == "case" and any(
        names[-dim - 2 :] == ["time", "particle", *layout.axes_of(dim)] for dim in range(1, layout.MOST_AXES + 1)
    )


def write_parquet(
    selection: Selection, path: Path, metadata: Mapping[str, object], progress: Callable[[int], None]
) -> None:
    """A row group for each block of the store; the metadata as JSON under the key ``ksdp`` of the schema."""
    pyarrow, parquet = library("pyarrow", "Parquet"), library("pyarrow.parquet", "Parquet")
    types = {"case": pyarrow.int32(), "particle": pyarrow.int64()}
    types |= {} if selection.run.header.moving else dict.fromkeys(layout.axes_of(selection.run.dim), pyarrow.float32())
    whole = [name for name, values in selection.parameters.items() if layout.kind_of(name, values) == "int64"]
    types |= dict.fromkeys(whole, pyarrow.int64())
    fields = [pyarrow.field(name, types.get(name, pyarrow.float64()), nullable=False) for name in columns(selection)]
    schema = pyarrow.schema(fields, metadata={KEY: json.dumps(metadata).encode()})
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        done = 0
        for table in _tables(selection):
            writer.write_table(pyarrow.table(table, schema=schema), row_group_size=layout.SHARD)
            done += len(table["particle"])
            progress(done)


def ours_parquet(path: Path) -> bool:
    return KEY in (library("pyarrow.parquet", "Parquet").read_schema(path).metadata or {})
