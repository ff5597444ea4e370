"""Opening a store: whatever is damaged is an error with its place, never a wrong number."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .. import provenance
from ..base import html
from ..base.files import JsonDict, local, read_json
from ..base.grids import address, narrow, near
from ..base.labels import label, number_text, several
from ..base.records import FileEntries
from ..base.shapes import Cloud
from ..config import SimulateConfig
from ..errors import ConfigError, DataError, ResourceError
from . import declared, layout
from .foreign import advice
from .layout import Header
from .siblings import backup
from .unstack import unstack

if TYPE_CHECKING:
    import xarray

#: What reading metadata of another shape than ours may raise.
MALFORMED = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, ConfigError)


class Run:
    """A stored simulation or a stored cloud of samples.

    ``times`` (k,) are the committed snapshots, ``cases`` one dict of swept parameters a case, ``J`` particles in
    ``dim`` dimensions, ``config`` the resolved configuration, ``attrs`` everything else in the attributes. ``grid`` is
    where c is stored, or None.
    """

    def __init__(self, path: Path, header: Header, attributes: JsonDict) -> None:
        self.path, self.header, self.attrs = path, header, attributes
        self.kind, self.config, self.units = header.kind, FileEntries(header.config, path), header.units
        self.J, self.dim = header.particles, header.dim
        self.complete: bool = attributes["complete"]
        columns = {n: v if layout.kind_of(n, v) == "int64" else tuple(map(float, v)) for n, v in header.cases.items()}
        self.cases = [{name: values[i] for name, values in columns.items()} for i in range(header.case_count)]
        self._numbers, self._all = tuple(range(header.case_count)), self.cases
        self.grid = header.grid
        self._arrays = layout.arrays(header)
        self._digest_bytes = 8 * math.prod(self._arrays["digest"].chunks)
        self.times = self._committed()
        self._snapshots = tuple(range(len(self.times)))

    def part(self, cases: Sequence[int], snapshots: Sequence[int]) -> Run:
        """Some cases and snapshots alone, as a run that has no others: from here on numbers count these."""
        chosen = copy.copy(self)
        chosen.cases, chosen._numbers = [self.cases[i] for i in cases], tuple(self._numbers[i] for i in cases)
        chosen.config = FileEntries(narrow(self.config, chosen.cases), self.path)
        chosen.times, chosen._snapshots = self.times[list(snapshots)], tuple(self._snapshots[k] for k in snapshots)
        return chosen

    def address(self, case: int) -> tuple[int | None, int]:
        """Seed and stream of the random numbers of a case; the seed is None where the store does not say it."""
        return address(self._all, self.attrs.get("seed"), self._numbers[case])

    def __repr__(self) -> str:
        return f"<Run {self.path}: {self.kind}, {len(self.cases)} cases, {len(self.times)} times, J = {self.J}>"

    @property
    def simulation(self) -> SimulateConfig:
        """What was simulated, or what the network of these samples learned; its plugins need not be installed.

        Raises `DataError` where the store does not say it.
        """
        said = self.attrs.get("simulation", {}) if self.kind == "samples" else self.config
        return provenance.simulation(said, self.path)

    def frame(self, case: int = 0, k: int = -1) -> Cloud:
        """Positions (J, d) of a case at committed snapshot ``k`` (the last by default), checked against their digests.

        They are float32, and float64 where the run counts them from an origin that moves, which is added here.

        Raises `DataError` naming file, case and time when bytes are missing or changed, `ConfigError` when there is
        no such case or snapshot, `ResourceError` when the frame does not fit in memory.
        """
        return self.rows(case, k, slice(None))

    def origin(self, case: int = 0, k: int = -1) -> NDArray[np.float64]:
        """What the stored positions of a frame count from, (d,); 0 where nothing else was asked for. Raises as
        `frame`."""
        case, k = self._place_of(case, k)
        return self._origins[case, k] if self.header.moving else np.zeros(self.dim)

    def require_fixed_origin(self, why: str) -> None:
        """Raise `ConfigError` where positions count from an origin that moves, and float32 may not hold them whole."""
        if self.header.moving:
            told = f"{self.path} counts positions from an origin that moves, and {why}"
            raise ConfigError(told, "simulate with --origin fixed")

    def rows(self, case: int, k: int, index: slice | Sequence[int] | NDArray[np.integer]) -> Cloud:
        """Particles ``index`` (a slice or whole numbers (n,)) of a frame: (n, d), in the order asked.

        Reads and checks the files that hold them and no others. Raises as `frame`, and `IndexError` beyond J.
        """
        stored = self.stored(case, k, index)
        return stored + self.origin(case, k) if self.header.moving else stored

    def stored(
        self, case: int, k: int, index: slice | Sequence[int] | NDArray[np.integer] = slice(None)
    ) -> NDArray[np.float32]:
        """`rows` as the store has them, from `origin`."""
        case, k = self._place_of(case, k)
        shard = layout.shard_length(self.J)
        if isinstance(index, slice):
            chosen = range(self.J)[index]
            if chosen.step == 1:
                return self._range(case, k, chosen)
            wanted = np.arange(chosen.start, chosen.stop, chosen.step)
        else:
            wanted = np.asarray(index, np.int64).ravel()
            wanted = np.where(wanted < 0, wanted + self.J, wanted)
            if len(wanted) and (wanted.min() < 0 or wanted.max() >= self.J):
                raise IndexError(f"rows {wanted.min()}..{wanted.max()} of {self.J}")
        result = self._room(len(wanted))
        home = wanted // shard
        for number in np.unique(home):
            here = home == number
            result[here] = self._shard(case, k, int(number))[wanted[here] - number * shard]
        return result

    def field(self, case: int = 0, k: int = -1) -> NDArray[np.float32]:
        """c of a case at committed snapshot ``k`` (the last by default) at the points of `grid`, indices along x, y
        (, z), checked against its digest.

        Raises `ConfigError` for a store without c, or no such case or snapshot, `DataError` and `ResourceError` as
        `frame`.
        """
        if self.grid is None:
            raise ConfigError(f"{self.path} holds no c", "simulate with --store-field")
        grid = self.grid
        case, k = self._place_of(case, k)
        file = layout.field_file(self.path, self.header, case, k)

        def read() -> NDArray[np.float32]:
            declared.check_file(file, 4 * math.prod(grid.shape))
            return np.ascontiguousarray(self._group["c"][case, k])

        return self._checked(file, case, k, -1, read)

    def find(self, t: float | None = None, **parameters: float) -> tuple[int, int]:
        """Case and snapshot with these values (to 1e-9); the only case and the last snapshot where nothing is asked.

        Raises `ConfigError` listing what there is.
        """
        found = [
            i
            for i, values in enumerate(self.cases)
            if all(name in values and near(name, values[name], v) for name, v in parameters.items())
        ]
        if len(found) != 1:
            listed = several((label(values) for values in self.cases), between="; ")
            asked = label(parameters) or "no parameter given"
            many = "more than one case" if found else "no case"
            held = f"it has: {listed or 'one case, nothing varied'}"
            differ = [n for n, v in self.cases[found[0]].items() if self.cases[found[1]].get(n) != v] if found else []
            choose = (
                "choose one, as " + " ".join(f"--{n} {number_text(self.cases[found[0]][n])}" for n in differ) + "; "
            )
            raise ConfigError(f"{self.path} has {many} for {asked}", (choose if differ else "") + held)
        if t is None:
            return found[0], self._position_of(-1, len(self.times), "committed snapshot")
        hits = np.flatnonzero(np.isclose(self.times, t, rtol=1e-9, atol=1e-12))
        if not len(hits):
            listed = ", ".join(f"{value:g}" for value in self.times)
            raise ConfigError(f"{self.path} has no snapshot t = {t:g}", f"it has: {listed or 'none yet'}")
        return found[0], int(hits[np.argmin(np.abs(self.times[hits] - t))])

    def progress(self) -> list[int]:
        """Leading frames that each case has; `times` are those that all have."""
        return [layout.frames_of(self.path, self.header, case) for case in self._numbers]

    def dataset(self, grid: bool = False) -> xarray.Dataset:
        """The committed frames as an `xarray.Dataset`, lazily loaded: ``position`` and its coordinates,
        and ``c`` on a grid where it is stored.

        Its cases are one dimension, with a coordinate for each swept parameter; with ``grid`` each parameter is a
        dimension, and `ConfigError` is raised where the cases are no full grid of their values. Attributes that are
        tables or lists are JSON text, and the names of the axes objects, so that ``to_netcdf`` takes it. What is read
        through it is protected by the checksums of the file format, not by the digests of `frame`.
        """
        import xarray

        opened = xarray.open_zarr(self.path, consolidated=self.complete)
        there = opened.drop_vars("digest").isel(time=list(self._snapshots), case=list(self._numbers))
        for coordinate in there.coords.values():
            coordinate.load()  # small, and what is chosen by them must know them
        there.attrs = {name: _plain(value) for name, value in there.attrs.items() if value is not None}
        if self.header.moving:
            labels = {name: text for name, text in there["position"].attrs.items() if name != "comment"}
            there["position"] = (there["position"] + there["origin"]).transpose(*there["position"].dims)
            there["position"].attrs = labels
            there = there.drop_vars("origin")
        if self.grid:
            there["c"].encoding.pop("coordinates", None)
        there = there.assign_coords(axis=there["axis"].astype(object)) if "axis" in there.coords else there
        return unstack(there, self.path) if grid else there

    def _repr_html_(self) -> str:
        facts = {"kind": self.kind, "J": self.J, "d": self.dim, "cases": len(self.cases), "complete": self.complete}
        times = ", ".join(f"{t:g}" for t in self.times) or "none yet"
        return html.table(f"Run {self.path}", ("", ""), [*facts.items(), ("t", times)])

    def check_coordinates(self) -> None:
        """Raise `ValueError` when the coordinates, which other programs read, are not those of the attributes."""
        for name, values in self.header.cases.items():
            declared.check_file(layout.chunk_file(self.path, name, 0, form=self.header.format), 8 * len(values))
            try:
                same = np.array_equal(self._group[name][:], np.array(values))
            except Exception as error:  # zarr and its codecs raise many kinds
                raise ValueError(f"{name} is unreadable ({error})") from None
            if not same:
                raise ValueError(f"{name} differs between its array and the attributes")

    @cached_property
    def _group(self) -> Any:
        from .durable import open_group

        return open_group(self.path)

    def _place_of(self, case: int, k: int) -> tuple[int, int]:
        """The numbers in the store of a case and a snapshot of this run."""
        case = self._position_of(case, len(self.cases), "case")
        return self._numbers[case], self._snapshots[self._position_of(k, len(self.times), "committed snapshot")]

    @cached_property
    def _origins(self) -> NDArray[np.float64]:
        file = layout.fixed_file(self.path, "origin", self.header)
        try:
            declared.check_file(file, 8 * math.prod(self._arrays["origin"].shape))
            return np.asarray(self._group["origin"][:])
        except Exception as error:  # zarr and its codecs raise many kinds
            raise DataError(f"{file} is unreadable: {error}", "the file is damaged") from None

    def _position_of(self, number: int, count: int, what: str) -> int:
        if not -count <= number < count:
            raise ConfigError(f"{self.path} has no {what} {number}", f"it has {count or 'none yet'}")
        return int(number) % count

    def _range(self, case: int, k: int, chosen: range) -> NDArray[np.float32]:
        """Consecutive particles, without a list of their numbers."""
        shard = layout.shard_length(self.J)
        if chosen == range(self.J) and shard >= self.J:
            return self._shard(case, k, 0)
        result = self._room(len(chosen))
        for number in range(chosen.start // shard, -(-chosen.stop // shard) if len(chosen) else 0):
            start, stop = max(chosen.start, number * shard), min(chosen.stop, (number + 1) * shard)
            block = self._shard(case, k, number)
            result[start - chosen.start : stop - chosen.start] = block[start - number * shard : stop - number * shard]
        return result

    def _room(self, count: int) -> NDArray[np.float32]:
        try:
            return np.empty((count, self.dim), np.float32)
        except MemoryError:
            size = count * self.dim * 4 / 1e9
            raise ResourceError(f"{size:.3g} GB of {self.path} do not fit in memory", "read fewer rows") from None

    def _shard(self, case: int, k: int, number: int) -> NDArray[np.float32]:
        """The particles of one file (n, d), once their digest is that of what was written."""
        file = layout.chunk_file(self.path, "position", case, k, number, 0, form=self.header.format)
        start = number * layout.shard_length(self.J)
        stop = min(self.J, start + layout.shard_length(self.J))

        def read() -> NDArray[np.float32]:
            declared.check_shard(file, self._arrays["position"])
            return np.ascontiguousarray(self._group["position"][case, k, start:stop])

        return self._checked(file, case, k, number, read)

    def _checked(
        self, file: Path, case: int, k: int, digest: int, read: Callable[[], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """What ``read`` gives of ``file``, once its digest is the one of that number in the frame's commit mark."""
        try:
            declared.check_file(layout.digest_file(self.path, case, k, self.header.format), self._digest_bytes)
            data: NDArray[np.float32] = read()
            if layout.block_digest(data) != int(self._group["digest"][case, k, digest]):
                raise ValueError("its bytes differ from what was written")
        except MemoryError:
            raise ResourceError(f"{file} does not fit in memory", "free some memory") from None
        except Exception as error:  # zarr and its codecs raise many kinds
            where = f"{file}: case {case} ({self._all[case]}), time {self.header.times[k]:g}"
            raise DataError(f"{where} is unreadable: {error}", "the file is damaged") from None
        return data

    def _committed(self) -> NDArray[np.float64]:
        """The snapshots whose commit mark is there: the leading ones, each as declared."""
        stated = np.array(self.header.times)
        try:
            files = [layout.chunk_file(self.path, "time", k, form=self.header.format) for k in range(len(stated))]
            for file in files:
                if file.exists():
                    declared.check_file(file, 8)
            marks = np.asarray(self._group["time"][:])
        except Exception as error:  # as above
            raise DataError(f"{self.path}: time is unreadable ({error})", "the file is damaged") from None
        count = int((~np.isnan(marks)).sum())
        if not np.array_equal(marks[:count], stated[:count]):
            raise DataError(f"{self.path}: time {marks.tolist()} is not {stated.tolist()}", "the file is damaged")
        if self.complete and count < len(stated):
            raise DataError(f"{self.path} is complete but lacks snapshot {stated[count]:g}", "files are missing")
        return stated[:count]


def _plain(value: object) -> int | float | str:
    """An attribute as NetCDF can hold it."""
    if isinstance(value, bool):
        return int(value)
    return value if isinstance(value, (int, float, str)) else json.dumps(value)


def open_run(path: str | Path) -> Run:
    """Open a store that ksdp wrote, complete or not, with its metadata and coordinates checked.

    Raises `DataError` when it is missing, no ksdp store, of another format, or damaged.
    """
    path = local(path)
    file = path / "zarr.json"
    if not path.exists():
        if backup(path.resolve()).exists():
            raise DataError(f"{path} was being replaced when its writer was killed", "run that command with --resume")
        raise DataError(f"there is no store {path}", "check the path")
    try:
        metadata = read_json(file)
        attributes = metadata["attributes"]
        version = attributes[layout.MARK]
        stated = attributes[layout.ROOT_DIGEST]
    except (OSError, ValueError, KeyError, TypeError):
        raise DataError(f"{path} is no store that ksdp wrote, or its metadata is damaged", advice(path)) from None
    if version not in layout.FORMATS:
        known = ", ".join(map(str, layout.FORMATS))
        raise DataError(f"{path} has format {version} and this ksdp reads {known}", "update ksdp")
    try:
        if layout.root_digest(metadata) != stated:
            raise ValueError("zarr.json: the metadata differ from what was written")
        header = Header.from_attributes(attributes)
        if layout.static_digest(path, header) != attributes[layout.STATIC_DIGEST]:
            raise ValueError("metadata or coordinates differ from what was written")
        declared.check_metadata(path, header, metadata.get("consolidated_metadata"))
        run = Run(path, header, attributes)
        run.check_coordinates()
    except MALFORMED as error:
        raise DataError(f"{path}: {error}", "the store is damaged") from None
    return run
