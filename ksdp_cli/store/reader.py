"""A store that is read. Damage raises an error with its place and never gives a wrong number."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .. import provenance
from ..base import html
from ..base.files import JsonDict
from ..base.grids import address, narrow, near
from ..base.labels import counted, label, number_text, several
from ..base.records import FileEntries
from ..base.shapes import Cloud
from ..config import SimulateConfig
from ..errors import ConfigError, DataError, ResourceError
from . import declared, layout
from .as_dataset import as_dataset
from .layout import Header
from .unstack import unstack

if TYPE_CHECKING:
    import xarray

    from .durable import StoredGroup


class Run:
    """A store: a simulation, samples of a network, or the user's own clouds.

    ``times`` (k,) are the committed snapshots, ``cases`` holds a dict of swept parameters for each case, ``J`` is the
    number of particles, ``dim`` the dimension, ``config`` the resolved configuration, ``attrs`` all attributes,
    ``grid`` the grid of c or None.
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
        self.times = self._committed_times()
        self._snapshots = tuple(range(len(self.times)))
        self._is_part = self._has_chosen_times = False

    def part(self, cases: Sequence[int], snapshots: Sequence[int] | None = None) -> Run:
        """Return some cases and snapshots as a run, which numbers them from 0; by default the snapshots that these
        cases have.

        Raises `ConfigError` for an unknown case or snapshot.
        """
        cases = [self._position_of(case, len(self.cases), "case") for case in cases]
        part = copy.copy(self.as_of(cases))
        part._has_chosen_times = self._has_chosen_times or snapshots is not None
        count = len(part.times)
        chosen = range(count) if snapshots is None else snapshots
        snapshots = [self._position_of(k, count, "committed snapshot") for k in chosen]
        part.cases, part._numbers = [self.cases[i] for i in cases], tuple(self._numbers[i] for i in cases)
        part.config = FileEntries(narrow(self.config, part.cases), self.path)
        part.times, part._snapshots = part.times[snapshots], tuple(part._snapshots[k] for k in snapshots)
        places = part._numbers, part._snapshots
        part._is_part = self._is_part or places != (self._numbers, self._snapshots)
        return part

    def as_of(self, cases: Sequence[int]) -> Run:
        """Return this run with the snapshots that all of ``cases`` have, also where others run or have failed."""
        if self.complete or self._has_chosen_times or not len(cases):
            return self
        run = copy.copy(self)
        count = min(layout.frames_of(self.path, self.header, self._numbers[case]) for case in cases)
        run.times, run._snapshots = np.array(self.header.times[:count]), tuple(range(count))
        return run

    @property
    def ended(self) -> bool:
        """Whether the store is complete, or every case of this part of it."""
        return self.complete or (self._is_part and min(self.progress()) == len(self.header.times))

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers in the store of these cases."""
        return self._numbers

    def address(self, case: int) -> tuple[int | None, int]:
        """Return seed and stream of the random numbers of a case; the seed is None if the store does not hold it."""
        return address(self._all, self.attrs.get("seed"), self._numbers[case])

    def __fspath__(self) -> str:
        """Return the path of the store. Raises `ConfigError` for a `part`, since it would be read as the whole."""
        if self._is_part:
            raise ConfigError(f"a path cannot say that this is a part of {self.path}",
                              f"give it as text, as {self.path}@A=10,t=0.02")  # fmt: skip
        return str(self.path)

    @property
    def name(self) -> str:
        """The path; of a part also what selects it, as every command reads it: ``a.zarr@case=0,2,t=0.02``."""
        parts = []
        if self._numbers != tuple(range(len(self._all))):
            parts.append("case=" + ",".join(map(str, self._numbers)))
        if self._is_part and self._snapshots != tuple(range(len(self.header.times))):
            parts.append("t=" + ",".join(f"{t:.12g}" for t in self.times))
        return f"{self.path}@{','.join(parts)}" if parts else str(self.path)

    def __repr__(self) -> str:
        flow = f" of {str(self.config.get('flow')).removeprefix('ksdp:')}" if self.kind == "simulation" else ""
        sizes = f"{counted(len(self.cases), 'case')}, {counted(len(self.times), 'time')}, J = {self.J}, d = {self.dim}"
        return f"<Run {self.path}: {self.kind}{flow}, {sizes}>"

    @property
    def simulation(self) -> SimulateConfig:
        """The configuration of the simulation, or of the one that the samples' network learned.

        Its plugins need not be installed. Raises `DataError` if the store does not hold it.
        """
        config = self.attrs.get("simulation", {}) if self.kind == "samples" else self.config
        return provenance.simulation(config, self.path)

    def frame(self, case: int = 0, k: int = -1) -> Cloud:
        """Return positions (J, d) of a case at committed snapshot ``k`` (default the last), checked by their digests.

        They are float32; with a moving origin, which is added here, they are float64.

        Raises `DataError` with file, case and time if bytes are missing or changed, `ConfigError` if there is no such
        case or snapshot, `ResourceError` if the frame does not fit in memory.
        """
        return self.rows(case, k, slice(None))

    def points(self, case: int = 0, k: int = -1) -> tuple[Cloud, NDArray[np.float64]]:
        """Return the distinct positions (m, d) of a frame and the part of the particles at each (m,), with the sum 1.

        A heavy particle of ``--merge delta`` is so many equal rows of `frame`, and one point here. Raises as `frame`.
        """
        points, counts = np.unique(self.frame(case, k), axis=0, return_counts=True)
        return points, counts / self.J

    def origin(self, case: int = 0, k: int = -1) -> NDArray[np.float64]:
        """Return the origin (d,) of the positions of a frame in the store: 0 unless it moves. Raises as `frame`."""
        case, k = self._place_of(case, k)
        return self._origins[case, k] if self.header.moving else np.zeros(self.dim)

    def require_fixed_origin(self, why: str) -> None:
        """Raise `ConfigError` if positions count from a moving origin, since float32 may not resolve their sum."""
        if self.header.moving:
            raise ConfigError(f"{self.path} has a moving origin, and {why}", "simulate with --origin fixed")

    def rows(self, case: int, k: int, index: slice | Sequence[int] | NDArray[np.integer]) -> Cloud:
        """Return particles ``index`` (a slice or whole numbers (n,)) of a frame, (n, d), in the order of ``index``.

        Reads and checks only the files that hold them. Raises as `frame`, and `IndexError` for an index beyond J.
        """
        offsets = self.stored(case, k, index)
        return offsets + self.origin(case, k) if self.header.moving else offsets

    def stored(
        self, case: int, k: int, index: slice | Sequence[int] | NDArray[np.integer] = slice(None)
    ) -> NDArray[np.float32]:
        """Return `rows` as in the store: relative to `origin`."""
        case, k = self._place_of(case, k)
        shard = layout.shard_length(self.J)
        if isinstance(index, slice):
            numbers = range(self.J)[index]
            if numbers.step == 1:
                return self._range(case, k, numbers)
            rows = np.arange(numbers.start, numbers.stop, numbers.step)
        else:
            rows = np.asarray(index, np.int64).ravel()
            rows = np.where(rows < 0, rows + self.J, rows)
            if len(rows) and (rows.min() < 0 or rows.max() >= self.J):
                raise IndexError(f"rows {rows.min()}..{rows.max()} of {self.J}")
        result = self._empty(len(rows))
        home = rows // shard
        for number in np.unique(home):
            here = home == number
            result[here] = self._shard(case, k, int(number))[rows[here] - number * shard]
        return result

    def field(self, case: int = 0, k: int = -1) -> NDArray[np.float32]:
        """Return c of a case at committed snapshot ``k`` (default the last) on `grid`, indexed by x, y (, z), checked
        by its digest.

        Raises `ConfigError` for a store without c and for an unknown case or snapshot, `DataError` and `ResourceError`
        as `frame`.
        """
        if self.grid is None:
            raise ConfigError(f"{self.path} has no chemical field c", "simulate with --store-field")
        return self._field("c", case, k, self.grid.shape)

    def gradient(self, case: int = 0, k: int = -1) -> NDArray[np.float32]:
        """Return grad c on `grid`, (d, x, y (, z)). Raises as `field`, and `ConfigError` for a store without it."""
        if self.grid is None or not self.grid.gradient:
            raise ConfigError(f"{self.path} has no gradient of c", "simulate with --store-field N --store-gradient yes")
        return self._field("grad_c", case, k, (self.dim, *self.grid.shape))

    def _field(self, name: str, case: int, k: int, shape: tuple[int, ...]) -> NDArray[np.float32]:
        case, k = self._place_of(case, k)
        files = layout.field_files(self.path, self.header, case, k)
        file, place = files[name], layout.shard_count(self.J) + list(files).index(name)

        def read() -> NDArray[np.float32]:
            declared.check_file(file, 4 * math.prod(shape))
            return np.ascontiguousarray(self._group[name][case, k])

        return self._read_checked(file, case, k, place, read)

    def find(self, t: float | None = None, **parameters: float) -> tuple[int, int]:
        """Return the case and snapshot with these values (to 1e-9); by default the only case and the last snapshot.

        Raises `ConfigError` that lists the cases or snapshots.
        """
        hits = [
            i
            for i, values in enumerate(self.cases)
            if all(name in values and near(name, values[name], v) for name, v in parameters.items())
        ]
        if len(hits) != 1:
            cases = several((label(values) for values in self.cases), between="; ")
            selection = f" for {label(parameters)}" if parameters else ""
            many = "more than one case" if hits else "no case"
            hint = f"it has: {cases or 'one case, nothing varied'}"
            differ = [n for n, v in self.cases[hits[0]].items() if self.cases[hits[1]].get(n) != v] if hits else []
            choose = "choose one, as " + " ".join(f"--{n} {number_text(self.cases[hits[0]][n])}" for n in differ) + "; "
            raise ConfigError(f"{self.path} has {many}{selection}", (choose if differ else "") + hint)
        if t is None:
            return hits[0], self._position_of(-1, len(self.times), "committed snapshot")
        near_t = np.flatnonzero(np.isclose(self.times, t, rtol=1e-9, atol=1e-12))
        if not len(near_t):
            times = ", ".join(f"{value:g}" for value in self.times)
            raise ConfigError(f"{self.path} has no snapshot t = {t:g}", f"it has: {times or 'none yet'}")
        return hits[0], int(near_t[np.argmin(np.abs(self.times[near_t] - t))])

    def progress(self) -> list[int]:
        """Return the number of leading frames of each case; `times` are the frames that all cases have."""
        return [layout.frames_of(self.path, self.header, case) for case in self._numbers]

    def dataset(self, grid: bool = False) -> xarray.Dataset:
        """Return the committed frames as a lazy `xarray.Dataset`: ``position``, its coordinates, and ``c`` if stored.

        The cases are one dimension, with a coordinate for each swept parameter. With ``grid`` each parameter is a
        dimension; raises `ConfigError` if the cases are not a full grid of their values. Attributes that are tables or
        lists become JSON text, and axis names objects, so that ``to_netcdf`` accepts them. Reads are protected by the
        checksums of the file format, not by the digests of `frame`.
        """
        result = as_dataset(self.path, self.header, self.times, self._numbers, self._snapshots, self.complete)
        return unstack(result, self.path) if grid else result

    def _repr_html_(self) -> str:
        facts = {"kind": self.kind, "J": self.J, "d": self.dim, "cases": len(self.cases), "complete": self.complete}
        times = ", ".join(f"{t:g}" for t in self.times) or "none yet"
        return html.table(f"Run {self.path}", ("", ""), [*facts.items(), ("t", times)])

    def check_coordinates(self) -> None:
        """Raise `ValueError` if the coordinates, which other programs read, differ from the attributes."""
        for name, values in self.header.cases.items():
            declared.check_file(layout.chunk_file(self.path, name, 0, form=self.header.format), 8 * len(values))
            try:
                same = np.array_equal(self._group[name][:], np.array(values))
            except Exception as error:  # zarr and its codecs raise many kinds
                raise ValueError(f"{name} is unreadable ({error})") from None
            if not same:
                raise ValueError(f"{name} differs between its array and the attributes")

    @cached_property
    def _group(self) -> StoredGroup:
        from .durable import open_group

        return open_group(self.path)

    def _place_of(self, case: int, k: int) -> tuple[int, int]:
        """Return the numbers in the store of a case and a snapshot of this run."""
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

    def _range(self, case: int, k: int, numbers: range) -> NDArray[np.float32]:
        """Read consecutive particles, without an array of their numbers."""
        shard = layout.shard_length(self.J)
        if numbers == range(self.J) and shard >= self.J:
            return self._shard(case, k, 0)
        result = self._empty(len(numbers))
        for n in range(numbers.start // shard, -(-numbers.stop // shard) if len(numbers) else 0):
            start, stop = max(numbers.start, n * shard), min(numbers.stop, (n + 1) * shard)
            block = self._shard(case, k, n)
            result[start - numbers.start : stop - numbers.start] = block[start - n * shard : stop - n * shard]
        return result

    def _empty(self, count: int) -> NDArray[np.float32]:
        try:
            return np.empty((count, self.dim), np.float32)
        except MemoryError:
            size = count * self.dim * 4 / 1e9
            raise ResourceError(f"{size:.3g} GB of {self.path} do not fit in memory", "read fewer rows") from None

    def _shard(self, case: int, k: int, number: int) -> NDArray[np.float32]:
        """Read the particles (n, d) of one file and check their digest."""
        file = layout.chunk_file(self.path, "position", case, k, number, 0, form=self.header.format)
        start = number * layout.shard_length(self.J)
        stop = min(self.J, start + layout.shard_length(self.J))

        def read() -> NDArray[np.float32]:
            declared.check_shard(file, self._arrays["position"])
            return np.ascontiguousarray(self._group["position"][case, k, start:stop])

        return self._read_checked(file, case, k, number, read)

    def _read_checked(
        self, file: Path, case: int, k: int, digest: int, read: Callable[[], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """Return ``read()``, the content of ``file``, after checking it against digest ``digest`` of the frame."""
        try:
            declared.check_file(layout.digest_file(self.path, case, k, self.header.format), self._digest_bytes)
            data: NDArray[np.float32] = read()
            if layout.block_digest(data) != int(self._group["digest"][case, k, digest]):
                raise ValueError("its bytes do not match their digest")
        except MemoryError:
            raise ResourceError(f"{file} does not fit in memory", "free some memory") from None
        except Exception as error:  # zarr and its codecs raise many kinds
            at = f" ({label(self._all[case])})" if self._all[case] else ""
            where = f"{file}: case {case}{at}, time {self.header.times[k]:g}"
            raise DataError(f"{where} is unreadable: {error}", self._repair(case)) from None
        return data

    def _repair(self, case: int) -> str:
        """How to mend a damaged file of a case: its command writes the same bytes on the same machine and versions."""
        if self.kind != "simulation" or self.header.format < layout.FORMAT:
            return "the file is damaged"
        names = [f"{name}/c/{case}" for name in layout.FRAMED if name != "time" and name in self._arrays]
        return f"the file is damaged; run its command with --case {case} -o NEW.zarr, and copy {several(names)} from it"

    def _committed_times(self) -> NDArray[np.float64]:
        """Return the leading snapshots that are marked in ``time``; each must equal the declared one."""
        every = np.array(self.header.times)
        try:
            files = [layout.chunk_file(self.path, "time", k, form=self.header.format) for k in range(len(every))]
            for file in files:
                if file.exists():
                    declared.check_file(file, 8)
            marks = np.asarray(self._group["time"][:])
        except Exception as error:  # as above
            raise DataError(f"{self.path}: time is unreadable ({error})", "the file is damaged") from None
        count = int((~np.isnan(marks)).sum())
        if not np.array_equal(marks[:count], every[:count]):
            raise DataError(f"{self.path}: time {marks.tolist()} is not {every.tolist()}", "the file is damaged")
        if self.complete and count < len(every):
            raise DataError(f"{self.path} is complete but lacks snapshot {every[count]:g}", "files are missing")
        return every[:count]
