"""A tree built by several ranks: each builds its subtrees and sends their particles and boxes to all others.

The subtrees are shared out in order, so that the particles of a rank are contiguous. A box above the subtrees belongs
to the rank with its first subtree; every rank with one of its subtrees computes it, to the same bits.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..world import World, ends_of
from .build import Tree
from .proxies import Workspace


def particle_ends(count: int, top: int, world: World) -> list[int]:
    """Ends of the ranks' particles in tree order, for subtrees that start on level ``top``."""
    return [subtree * count >> top for subtree in ends_of(2**top, world.size)]


def exchange(tree: Tree, w: Workspace, top: int, world: World) -> None:
    """Send the particles, boxes and source weights of all subtrees from level ``top`` on, and the boxes above, to all
    ranks."""
    ends = particle_ends(tree.index.size, top, world)
    for row in (*tree.c, tree.index):
        world.join(row, ends)
    parts = _boxes(tree, w, top, world.size)
    message_ends = np.cumsum([0, *(sum(piece.size for piece in pieces) for pieces in parts)]).tolist()
    message = np.empty(message_ends[-1], tree.c.dtype)
    low, high = message_ends[world.rank], message_ends[world.rank + 1]
    np.concatenate([piece.reshape(-1) for piece in parts[world.rank]], out=message[low:high])
    world.join(message, message_ends)
    for rank, pieces in enumerate(parts):
        at = message_ends[rank]
        for piece in pieces if rank != world.rank else ():
            piece[...] = message[at : at + piece.size].reshape(piece.shape)
            at += piece.size


def _boxes(tree: Tree, w: Workspace, top: int, ranks: int) -> list[list[NDArray[np.floating]]]:
    """For each rank, views of the centres, half sides and weights of its boxes, level by level."""
    dim, subtrees = tree.c.shape[0], ends_of(2**top, ranks)
    parts: list[list[NDArray[np.floating]]] = [[] for _ in range(ranks)]
    for level in range(tree.depth + 1):
        above = max(0, top - level)
        ends = [-(-subtree >> above) << max(0, level - top) for subtree in subtrees]
        first, proxies = (1 << level) - 1, int(w.orders[level]) ** dim
        for rank, pieces in enumerate(parts):
            boxes = slice(first + ends[rank], first + ends[rank + 1])
            pieces += [tree.centre[boxes], tree.half[boxes]]
            if level >= top:
                base = int(w.base[level])
                pieces.append(w.q[base + ends[rank] * proxies : base + ends[rank + 1] * proxies])
    return parts
