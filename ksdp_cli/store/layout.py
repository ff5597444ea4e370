"""What a store looks like on disk, and the rules that hold for every one of them.

``NAME.zarr`` is a Zarr v3 group: ``position(case, time, particle, axis)`` float32, coordinates, and attributes that
hold the resolved configuration. Arrays have their full size from the start. ``digest(case, time, shard)`` holds the
head of the SHA-256 of the positions in each file; its file for one case and frame is written when those positions are
on the disk to the last byte, and is their commit mark. ``time[k]`` is NaN until every case has frame k. Where positions
count from an origin that moves, ``origin(case, time, axis)`` float64 holds what is to be added to them. The root
metadata holds a digest of itself and one of all that is written only once.

Format 3 is 2 with the chemical on a grid beside every frame: ``c(case, time, x, y, z)`` float32, a file a case and
frame, whose digest is the last of the frame's.

Format 1, which is read and no longer written, had one digest file a frame for all cases, and "." in names for "/".
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

    pass

FORMAT, WITH_FIELD, FORMATS = 2, 3, (1, 2, 3)
MARK = "ksdp_format"
#: Root attributes with the digest of the root metadata, and of the arrays' metadata and coordinates.
ROOT_DIGEST, STATIC_DIGEST = "metadata_sha256", "static_sha256"
AXES = ("x", "y", "z")
#: Dimensions of a store at most; those of a simulation have the names of `AXES`.
MOST_AXES = 8
CHUNK, SHARD = 1 << 16, 1 << 20


@dataclass(frozen=True)
class Header:
    """All that is known of a store before its first frame.

    ``kind`` is ``simulation``, ``samples`` or ``clouds`` of the user's own; ``times`` the snapshots in order;
    ``particles`` and ``dim`` J and d; ``cases`` maps each swept parameter to one value a case, and may be empty;
    ``units`` describes parameters, the unit in brackets at the end; ``config`` is the resolved configuration and
    ``attrs`` anything else, both JSON-able; ``grid`` is where c is stored, if it is; ``format`` numbers the layout.
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
    #: O(t) [length] by case and snapshot, where positions count from an origin that moves (`moving`).
    origins: tuple[tuple[tuple[float, ...], ...], ...] = ()

    @property
    def moving(self) -> bool:
        """Whether positions count from an origin that moves."""
        return self.config.get("origin") == "moving"

    def __post_init__(self) -> None:
        if self.grid:
            object.__setattr__(self, "format", WITH_FIELD)

    def check(self) -> None:
        """Raise `ValueError` for sizes that do not fit together, `ConfigError` for a parameter that cannot be named."""
        if self.particles < 1 or not 1 <= self.dim <= MOST_AXES or self.case_count < 1 or not self.times:
            raise ValueError(f"{self.case_count} cases, {len(self.times)} times, {self.particles} x {self.dim}")
        if not all(math.isfinite(t) for t in self.times) or list(self.times) != sorted(set(self.times)):
            raise ValueError(f"times {self.times} do not increase")
        if self.grid:
            self.grid.check(self.dim)
        elif self.format == WITH_FIELD:
            raise ValueError("a field without a grid")
        if not self.cases and self.case_count != 1:
            raise ValueError(f"{self.case_count} cases of nothing that varies")
        for name, values in self.cases.items():
            if len(values) != self.case_count:
                raise ValueError(f"{name} has {len(values)} values for {self.case_count} cases")
            if not name.isidentifier() or name in RESERVED or (self.grid and name in OF_FIELD):
                raise ConfigError(f"a swept parameter cannot be called {name!r} in a store", "rename it in its plugin")

    def as_attributes(self) -> JsonDict:
        """The group attributes that say all this; what goes in must come back from JSON unchanged."""
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
        """The header that group attributes describe, checked. Raises `ValueError`, and `ConfigError` as `check`."""
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
            grid=_grid(attributes["grid"]) if attributes[MARK] == WITH_FIELD else None,
            format=attributes[MARK],
        )
        header.check()
        return header


#: Attributes that only the store itself sets.
OWN_ATTRIBUTES = {*Header("", (0.0,), 1, 1, {}, 1).as_attributes(), "grid", ROOT_DIGEST, STATIC_DIGEST}
#: Names of arrays and dimensions, which no swept parameter may take.
RESERVED = {"position", "time", "axis", "digest", "case", "particle", "shard", "origin"}
OF_FIELD = {"c", *AXES}
#: Arrays of which a file is written with every frame.
FRAMED = ("position", "c", "digest", "time")


@dataclass(frozen=True)
class Array:
    """Shape of one array and of its pieces: ``chunks`` are read and checked as one, ``files`` lie in one file."""

    dims: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    chunks: tuple[int, ...]
    files: tuple[int, ...]


def arrays(header: Header) -> dict[str, Array]:
    """Every array of a store: its shape follows from the header alone."""
    count, steps, j, d = header.case_count, len(header.times), header.particles, header.dim
    shards = digest_count(header)
    marked = (count if header.format == 1 else 1, 1, shards)
    made = {
        "position": Array(
            ("case", "time", "particle", "axis"),
            (count, steps, j, d),
            "float32",
            (1, 1, min(j, CHUNK), d),
            (1, 1, shard_length(j), d),
        ),
        "digest": Array(("case", "time", "shard"), (count, steps, shards), "uint64", marked, marked),
        "time": Array(("time",), (steps,), "float64", (1,), (1,)),
        "axis": Array(("axis",), (d,), "string", (d,), (d,)),
    }
    if header.moving:
        whole = (count, steps, d)
        made["origin"] = Array(("case", "time", "axis"), whole, "float64", whole, whole)
    if header.grid:
        shape, names = header.grid.shape, AXES[:d]
        made["c"] = Array(("case", "time", *names), (count, steps, *shape), "float32", (1, 1, *shape), (1, 1, *shape))
        made |= {name: Array((name,), (n,), "float64", (n,), (n,)) for name, n in zip(names, shape, strict=True)}
    return made | {
        name: Array(("case",), (count,), kind_of(name, values), (count,), (count,))
        for name, values in header.cases.items()
    }


def kind_of(name: str, values: Sequence[float]) -> str:
    """The type of a coordinate: seeds are whole numbers, which float64 does not hold from 2^53 on."""
    return "int64" if name == SEED and all(isinstance(value, int) for value in values) else "float64"


def axes_of(dim: int) -> tuple[str, ...]:
    """The names of the axes: x, y, z, and of more than three x1, x2, ..."""
    return AXES[:dim] if dim <= len(AXES) else tuple(f"x{k + 1}" for k in range(dim))


def shard_length(particles: int) -> int:
    """Particles in one file: whole chunks, at most 2^20 particles, a function of J alone."""
    chunk = min(particles, CHUNK)
    return chunk * math.ceil(min(particles, SHARD) / chunk)


def shard_count(particles: int) -> int:
    """Files of one frame of one case."""
    return math.ceil(particles / shard_length(particles))


def digest_count(header: Header) -> int:
    """Digests of one frame of one case: one for each file of positions, and at the end that of c."""
    return shard_count(header.particles) + (1 if header.grid else 0)


def separator(form: int) -> str:
    """What stands between the numbers in the name of a chunk's file."""
    return "." if form == 1 else "/"


def chunk_file(root: Path, name: str, *index: int, form: int = FORMAT) -> Path:
    """The file of one piece of an array."""
    return root / name / separator(form).join(["c", *map(str, index)])


def fixed_file(root: Path, name: str, header: Header) -> Path:
    """The only file of an array that is written when the store is laid out."""
    return chunk_file(root, name, *([0] * len(arrays(header)[name].shape)), form=header.format)


def field_file(root: Path, header: Header, case: int, k: int) -> Path:
    """The file of c of a case's frame."""
    return chunk_file(root, "c", case, k, *(0,) * header.dim)


def digest_file(root: Path, case: int, k: int, form: int = FORMAT) -> Path:
    """The file with the digests of a case's frame."""
    return chunk_file(root, "digest", 0 if form == 1 else case, k, 0, form=form)


def frames_of(root: Path, header: Header, case: int) -> int:
    """Leading frames of a case whose commit mark is there."""
    count = 0
    while count < len(header.times) and digest_file(root, case, count, header.format).exists():
        count += 1
    return count


def digest_of(value: object) -> str:
    """SHA-256 of canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def block_digest(data: NDArray[np.generic]) -> int:
    """The first 8 bytes of the SHA-256 of a C-contiguous array, as the number that ``digest`` holds."""
    return int.from_bytes(hashlib.sha256(data.data).digest()[:8], "little")


def root_digest(metadata: JsonDict) -> str:
    """Digest of the root metadata, all but the digest itself."""
    kept = {name: value for name, value in metadata["attributes"].items() if name != ROOT_DIGEST}
    return digest_of(metadata | {"attributes": kept})


def static_digest(root: Path, header: Header) -> str:
    """SHA-256 over what is written once: the arrays' metadata and the coordinates other than time."""
    sha = hashlib.sha256()
    for name in sorted(arrays(header)):
        files = [root / name / "zarr.json"]
        if name not in FRAMED:
            files.append(fixed_file(root, name, header))
        for file in files:
            content = read_whole(file, LARGEST_METADATA)
            sha.update(f"{name}/{file.name}:{len(content)}:".encode() + content)
    return sha.hexdigest()


def _grid(stored: Any) -> FieldGrid:
    """The grid that the attributes tell, which `Attributes` has checked."""
    return FieldGrid(stored["points"], tuple(stored["low"]), stored["side"])
