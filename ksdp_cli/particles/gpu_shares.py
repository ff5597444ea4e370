"""Shares of an array on a device: what each rank of a world has computed, copied to all of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from .world import World, ends_of

if TYPE_CHECKING:
    from torch import Tensor


#: Particles of a program of a step, and a multiple of those of a program of the pair sum.
BLOCK = 128


def block_ends(particles: int, block: int, size: int) -> list[int]:
    """Where the shares of ``size`` ranks begin and end, in whole blocks of particles but for the last one.

    A program takes a block, so that on any number of ranks the same programs run, each on the same particles: no bit of
    a force, a step or a maximum can tell how many ranks there are. `join` copies.
    """
    return [min(end * block, particles) for end in ends_of(-(-particles // block), size)]


def join(whole: Tensor, ends: Sequence[int], world: World) -> None:
    """Fill ``whole`` (.., n), of which rank r has ``whole[.., ends[r]:ends[r + 1]]``, on every rank.

    All ranks call it together. The device is not waited for where it is a card of nccl's. Raises `Lost`.
    """
    if world.size == 1:
        return
    most = max(high - low for low, high in pairwise(ends))
    # the collective call wants pieces of one size
    pieces = whole.new_zeros((world.size, *whole.shape[:-1], most))
    low, high = ends[world.rank], ends[world.rank + 1]
    mine = pieces[world.rank].clone()
    mine[..., : high - low] = whole[..., low:high]
    world.join_pieces(pieces, mine)
    for rank, (begin, end) in enumerate(pairwise(ends)):
        if rank != world.rank:
            whole[..., begin:end] = pieces[rank, ..., : end - begin]
