"""What a store looks like on disk, and the rules that hold for every one of them.

``NAME.zarr`` is a Zarr v3 group: ``position(case, time, particle, axis)`` float32, coordinates, and attributes that hold
the resolved configuration. Arrays have their full size from the start. ``time[k]`` is NaN until frame k is on the disk
to the last byte: it is the commit mark. ``digest(case, time)`` is the head of the SHA-256 of each frame's bytes.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1
MARK = "ksdp_format"
AXES = ("x", "y", "z")
CHUNK, SHARD = 1 << 16, 1 << 20


@dataclass(frozen=True)
class Header:
    """All that is known of a store before its first frame.

    ``kind`` is ``simulation`` or ``samples``; ``cases`` maps each swept parameter to one value a case; ``units``
    describes parameters; ``config`` is the resolved configuration and ``attrs`` anything else, both JSON-able.
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

    def as_attributes(self) -> dict[str, Any]:
        """The group attributes that say all this; what goes in must come back from JSON unchanged."""
        return json.loads(
            json.dumps(
                {
                    MARK: FORMAT,
                    "kind": self.kind,
                    "config": self.config,
                    "particles": self.particles,
                    "dim": self.dim,
                    "times": list(self.times),
                    "cases": {name: list(values) for name, values in self.cases.items()},
                    "case_count": self.case_count,
                    "parameter_units": self.units,
                    "complete": False,
                    **self.attrs,
                },
                allow_nan=False,
            )
        )


def chunk_length(particles: int) -> int:
    """Particles in one chunk: the unit that is read, compressed and checked."""
    return min(particles, CHUNK)


def shard_length(particles: int) -> int:
    """Particles in one file: whole chunks, at most 2^20 particles, a function of J alone."""
    chunk = chunk_length(particles)
    return chunk * math.ceil(min(particles, SHARD) / chunk)


def shard_files(root: Path, case: int, k: int, particles: int) -> list[Path]:
    """The files of one frame of one case."""
    count = math.ceil(particles / shard_length(particles))
    return [root / "position" / "c" / str(case) / str(k) / str(shard) / "0" for shard in range(count)]


def digest_of(value: Any) -> str:
    """SHA-256 of canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def frame_digest(sha: Any) -> int:
    """The first 8 bytes of a running SHA-256 as the number that ``digest`` holds."""
    return int.from_bytes(sha.digest()[:8], "little")


def static_digest(root: Path) -> str:
    """SHA-256 over what is written once: the arrays' metadata and the coordinates other than time."""
    sha = hashlib.sha256()
    for file in sorted(root.glob("*/zarr.json")):
        sha.update(file.parent.name.encode() + file.read_bytes())
    for file in sorted(path for path in root.glob("*/c/*") if path.is_file()):
        if file.parts[-3] not in ("time", "position", "digest"):
            sha.update(file.parts[-3].encode() + file.read_bytes())
    return sha.hexdigest()
