"""Shares of an array on a device: copies the part that each rank has computed to all ranks."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from .world import World, ends_of

if TYPE_CHECKING:
    from torch import Tensor


#: Particles of one program instance of a step; a multiple of those of the pair sum.
BLOCK = 128


def block_ends(particles: int, block: int, size: int) -> list[int]:
    """Ends of the shares of ``size`` ranks, in whole blocks of particles except for the last.

    One program instance processes one block, so on any number of ranks the same programs run on the same particles, and
    forces, steps and maxima have the same bits. `join` copies the shares.
    """
    return [min(end * block, particles) for end in ends_of(-(-particles // block), size)]


def join(whole: Tensor, ends: Sequence[int], world: World) -> None:
    """Fill ``whole`` (.., n), of which rank r has ``whole[.., ends[r]:ends[r + 1]]``, on every rank.

    All ranks call it together. With nccl it does not wait for the device. Raises `Lost`.
    """
    if world.size == 1:
        return
    most = max(high - low for low, high in pairwise(ends))
    # the collective call needs pieces of equal size
    pieces = whole.new_zeros((world.size, *whole.shape[:-1], most))
    low, high = ends[world.rank], ends[world.rank + 1]
    mine = pieces[world.rank].clone()
    mine[..., : high - low] = whole[..., low:high]
    world.join_pieces(pieces, mine)
    for rank, (begin, end) in enumerate(pairwise(ends)):
        if rank != world.rank:
            whole[..., begin:end] = pieces[rank, ..., : end - begin]
