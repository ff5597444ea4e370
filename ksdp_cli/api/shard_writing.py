"""Write the files of a frame on all ranks: each rank writes some shards, and rank 0 commits the frame."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..errors import KsdpError
from ..particles.world import World, ends_of, share_of
from ..store import Owner, ShardWriter, shard_count
from .case_store import CaseStore


@dataclass(frozen=True)
class Shards:
    """Frame ``k`` of ``cases``, numbers with their places among the clouds, of the store that rank 0 has at ``path``.

    ``mark`` tells it from another store under the same path on another host.
    """

    path: str
    mark: str
    k: int
    cases: dict[int, int]


def shards_to_write(owner: Owner | CaseStore, k: int, cases: Sequence[int]) -> Shards | None:
    """On rank 0: return what frame ``k`` lacks of ``cases``, or None if nothing is worth sharing."""
    if shard_count(owner.header.particles) < 2:
        return None
    with contextlib.suppress(KsdpError, OSError):  # whoever commits the frame finds the same trouble, and tells it
        frames = owner.progress()
        lacking = {case: place for place, case in enumerate(cases) if k >= frames[case]}
        path = owner.path.absolute()
        return Shards(str(path), _mark(path), k, lacking) if lacking else None
    return None


def write_shards(world: World, plan: Shards | None, clouds: Sequence[Cloud]) -> dict[int, NDArray[np.uint64]] | None:
    """Write this rank's shards of what rank 0 ``plan`` for. All ranks call it together, with the same ``clouds``.

    Return the digests (shards,) by case, on every rank. Return None if a rank cannot write, or does not see the store:
    rank 0 then writes the frame alone.
    """
    shards = world.decide(plan)
    if shards is None or _any(world, not _is_seen(shards)):
        return None
    count, failure = shard_count(len(clouds[0])), False
    first, last = share_of(count, world)
    digests = np.zeros((count, len(shards.cases)), np.uint64)
    try:
        writer = ShardWriter(Path(shards.path), len(clouds[0]))
        for column, (case, place) in enumerate(shards.cases.items()):
            digests[first:last, column] = writer.write(case, shards.k, first, last, clouds[place])
    except KsdpError:
        failure = True
    if _any(world, failure):
        return None
    world.join(digests, ends_of(count, world.size))
    return dict(zip(shards.cases, digests.T.copy(), strict=True))


def _any(world: World, here: bool) -> bool:
    return bool(world.largest(np.array([here], np.float64))[0])


def _is_seen(shards: Shards) -> bool:
    try:
        return _mark(Path(shards.path)) == shards.mark
    except OSError:
        return False


def _mark(path: Path) -> str:
    return hashlib.sha256((path / "zarr.json").read_bytes()).hexdigest()
