"""The layout of a store on disk.

``NAME.zarr`` is a Zarr v3 group: ``position(case, time, particle, axis)`` float32, coordinates, and attributes with the
resolved configuration. Arrays have their full size from the start. ``digest(case, time, shard)`` holds the first 8
bytes of the SHA-256 of the positions in each file. Its file for a case and frame is written after those positions are
on the disk, and is their commit mark. ``time[k]`` is NaN until every case has frame k. If positions count from a moving
origin, ``origin(case, time, axis)`` float64 holds the point to add. The root metadata holds a digest of itself and one
of all that is written once.

Format 3 is format 2 with the chemical on a grid for each frame: ``c(case, time, x, y, z)`` float32, one file for each
case and frame, whose digest follows those of the positions.

Format 4 is format 3 with the gradient of c: ``grad_c(case, time, axis, x, y, z)`` float32, one file for each case and
frame, whose digest follows that of c.

Format 1 is still read, but no longer written. It has one digest file per frame for all cases, and "." in file names
instead of "/".
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.files import LARGEST_METADATA, JsonDict, read_whole
from ..base.grids import SEED
from ..base.records import Attributes, as_record
from ..errors import ConfigError
from .field_grid import FieldGrid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FORMAT, WITH_FIELD, WITH_GRADIENT, FORMATS = 2, 3, 4, (1, 2, 3, 4)
MARK = "ksdp_format"
#: Root attributes with the digests of the root metadata, and of the arrays' metadata and coordinates.
ROOT_DIGEST, STATIC_DIGEST = "metadata_sha256", "static_sha256"
AXES = ("x", "y", "z")
#: Most dimensions of a store; those of a simulation have the names of `AXES`.
MOST_AXES = 8
CHUNK, SHARD = 1 << 16, 1 << 20


@dataclass(frozen=True)
class Header:
    """All facts of a store that are known before its first frame.

    ``kind`` is ``simulation``, ``samples`` or ``clouds`` (the user's own); ``times`` are the snapshots in increasing
    order; ``particles`` and ``dim`` are J and d; ``cases`` maps each swept parameter to one value for each case, and
    may be empty; ``units`` describes parameters, with the unit in brackets at the end; ``config`` is the resolved
    configuration and ``attrs`` anything else, both JSON; ``grid`` is the grid of c or None; ``format`` is the number of
    the layout.
    """

    kind: str
    times: tuple[float, ...]
    particles: int
    dim: int
    cases: dict[str, tuple[float, ...]]
    case_count: int
    units: dict[str, str] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)
    attrs: dict[str, Any] = field(default_factory=dict)
    grid: FieldGrid | None = None
    format: int = FORMAT
    #: O(t) [length] for each case and snapshot, if positions count from a moving origin (`moving`).
    origins: tuple[tuple[tuple[float, ...], ...], ...] = ()

    @property
    def moving(self) -> bool:
        """Whether positions count from a moving origin."""
        return self.config.get("origin") == "moving"

    def __post_init__(self) -> None:
        if self.grid:
            object.__setattr__(self, "format", WITH_GRADIENT if self.grid.gradient else WITH_FIELD)

    def check(self) -> None:
        """Raise `ValueError` for inconsistent sizes, `ConfigError` for a parameter name that a store cannot use."""
        if self.particles < 1 or not 1 <= self.dim <= MOST_AXES or self.case_count < 1 or not self.times:
            raise ValueError(f"{self.case_count} cases, {len(self.times)} times, {self.particles} x {self.dim}")
        if not all(math.isfinite(t) for t in self.times) or list(self.times) != sorted(set(self.times)):
            raise ValueError(f"times {self.times} do not increase")
        if self.grid:
            self.grid.check(self.dim)
        elif self.format >= WITH_FIELD:
            raise ValueError("a field without a grid")
        if not self.cases and self.case_count != 1:
            raise ValueError(f"{self.case_count} cases of nothing that varies")
        for name, values in self.cases.items():
            if len(values) != self.case_count:
                raise ValueError(f"{name} has {len(values)} values for {self.case_count} cases")
            if not name.isidentifier() or name in RESERVED or (self.grid and name in OF_FIELD):
                raise ConfigError(f"a swept parameter cannot be called {name!r} in a store", "rename it in its plugin")

    def as_attributes(self) -> dict[str, object]:
        """Return the header as group attributes; every value must survive JSON unchanged."""
        own = {
            MARK: self.format,
            "kind": self.kind,
            "config": self.config,
            "particles": self.particles,
            "dim": self.dim,
            "times": list(self.times),
            "cases": {name: list(values) for name, values in self.cases.items()},
            "case_count": self.case_count,
            "parameter_units": self.units,
            "complete": False,
        }
        if self.grid:
            own["grid"] = self.grid.as_attribute()
        attributes: dict[str, Any] = json.loads(json.dumps(self.attrs | own, allow_nan=False))
        return attributes

    @classmethod
    def from_attributes(cls, attributes: JsonDict) -> Header:
        """Build a header from group attributes and check it. Raises `ValueError`, and `ConfigError` as `check`."""
        as_record(Attributes, attributes)
        header = cls(
            kind=attributes["kind"],
            times=tuple(attributes["times"]),
            particles=attributes["particles"],
            dim=attributes["dim"],
            cases={name: tuple(values) for name, values in attributes["cases"].items()},
            case_count=attributes["case_count"],
            units=attributes["parameter_units"],
            config=attributes["config"],
            grid=_grid(attributes["grid"]) if attributes[MARK] >= WITH_FIELD else None,
            format=attributes[MARK],
        )
        header.check()
        return header


#: Attributes that only the store itself sets.
OWN_ATTRIBUTES = {*Header("", (0.0,), 1, 1, {}, 1).as_attributes(), "grid", ROOT_DIGEST, STATIC_DIGEST}
#: Names of arrays and dimensions, which no swept parameter may take.
RESERVED = {"position", "time", "axis", "digest", "case", "particle", "shard", "origin"}
OF_FIELD = {"c", "grad_c", *AXES}
#: Arrays that get a file with every frame.
FRAMED = ("position", "c", "grad_c", "digest", "time")


@dataclass(frozen=True)
class Array:
    """Shapes of an array, of its chunks, which are read and checked whole, and of its ``files``."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    chunks: tuple[int, ...]
    files: tuple[int, ...]


def arrays(header: Header) -> dict[str, Array]:
    """Return the layout of every array of a store; it depends on the header alone."""
    count, steps, j, d = header.case_count, len(header.times), header.particles, header.dim
    shards = digest_count(header)
    digests = (count if header.format == 1 else 1, 1, shards)
    result = {
        "position": Array(
            ("case", "time", "particle", "axis"),
            (count, steps, j, d),
            "float32",
            (1, 1, min(j, CHUNK), d),
            (1, 1, shard_length(j), d),
        ),
        "digest": Array(("case", "time", "shard"), (count, steps, shards), "uint64", digests, digests),
        "time": Array(("time",), (steps,), "float64", (1,), (1,)),
        "axis": Array(("axis",), (d,), "string", (d,), (d,)),
    }
    if header.moving:
        whole = (count, steps, d)
        result["origin"] = Array(("case", "time", "axis"), whole, "float64", whole, whole)
    if header.grid:
        shape, names = header.grid.shape, AXES[:d]
        result["c"] = Array(("case", "time", *names), (count, steps, *shape), "float32", (1, 1, *shape), (1, 1, *shape))
        if header.grid.gradient:
            one = (1, 1, d, *shape)
            result["grad_c"] = Array(("case", "time", "axis", *names), (count, steps, d, *shape), "float32", one, one)
        result |= {name: Array((name,), (n,), "float64", (n,), (n,)) for name, n in zip(names, shape, strict=True)}
    return result | {
        name: Array(("case",), (count,), kind_of(name, values), (count,), (count,))
        for name, values in header.cases.items()
    }


def kind_of(name: str, values: Sequence[float]) -> str:
    """Return the type of a coordinate: int64 for seeds, since float64 is not exact from 2^53 on."""
    return "int64" if name == SEED and all(isinstance(value, int) for value in values) else "float64"


def axes_of(dim: int) -> tuple[str, ...]:
    """Return the names of the axes: x, y, z, or x1, x2, ... for more than three."""
    return AXES[:dim] if dim <= len(AXES) else tuple(f"x{k + 1}" for k in range(dim))


def shard_length(particles: int) -> int:
    """Return the particles in one file: whole chunks, at most 2^20, a function of J alone."""
    chunk = min(particles, CHUNK)
    return chunk * math.ceil(min(particles, SHARD) / chunk)


def shard_count(particles: int) -> int:
    """Return the number of files of positions for one frame of one case."""
    return math.ceil(particles / shard_length(particles))


def digest_count(header: Header) -> int:
    """Return the number of digests for one frame of one case: one for each file of positions, of c and of its
    gradient."""
    return shard_count(header.particles) + len(field_files(Path(), header, 0, 0))


def separator(form: int) -> str:
    """Return the separator of the numbers in a chunk's file name."""
    return "." if form == 1 else "/"


def chunk_file(root: Path, name: str, *index: int, form: int = FORMAT) -> Path:
    """Return the file of a chunk or shard of an array."""
    return root / name / separator(form).join(["c", *map(str, index)])


def fixed_file(root: Path, name: str, header: Header) -> Path:
    """Return the only file of an array that is written when the store is laid out."""
    return chunk_file(root, name, *([0] * len(arrays(header)[name].shape)), form=header.format)


def field_files(root: Path, header: Header, case: int, k: int) -> dict[str, Path]:
    """Return the files of c and of its gradient for a case and frame, by array, in the order of their digests."""
    if header.grid is None:
        return {}
    files = {"c": chunk_file(root, "c", case, k, *(0,) * header.dim)}
    if header.grid.gradient:
        files["grad_c"] = chunk_file(root, "grad_c", case, k, *(0,) * (header.dim + 1))
    return files


def digest_file(root: Path, case: int, k: int, form: int = FORMAT) -> Path:
    """Return the file with the digests of a case and frame."""
    return chunk_file(root, "digest", 0 if form == 1 else case, k, 0, form=form)


def frames_of(root: Path, header: Header, case: int) -> int:
    """Count the leading frames of a case that have their commit mark."""
    count = 0
    while count < len(header.times) and digest_file(root, case, count, header.format).exists():
        count += 1
    return count


def block_digest(data: NDArray[np.generic]) -> int:
    """Return the first 8 bytes of the SHA-256 of a C-contiguous array, as the number in ``digest``."""
    return int.from_bytes(hashlib.sha256(data.data).digest()[:8], "little")


def root_digest(metadata: JsonDict) -> str:
    """Return the SHA-256 of the root metadata as canonical JSON, without the digest itself."""
    attributes = {name: value for name, value in metadata["attributes"].items() if name != ROOT_DIGEST}
    canonical = json.dumps(metadata | {"attributes": attributes}, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def static_digest(root: Path, header: Header) -> str:
    """Return the SHA-256 of all that is written once: the arrays' metadata and the coordinates other than time."""
    sha = hashlib.sha256()
    for name in sorted(arrays(header)):
        files = [root / name / "zarr.json"]
        if name not in FRAMED:
            files.append(fixed_file(root, name, header))
        for file in files:
            content = read_whole(file, LARGEST_METADATA)
            sha.update(f"{name}/{file.name}:{len(content)}:".encode() + content)
    return sha.hexdigest()


def _grid(values: Any) -> FieldGrid:
    """Return the grid in the attributes, which `Attributes` has validated."""
    return FieldGrid(values["points"], tuple(values["low"]), values["side"], values.get("gradient", False))
