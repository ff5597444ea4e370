"""Interaction lists of the GPU's treecode: for each leaf, runs of near leaves (P2P) and far boxes (M2P).

A program traverses the tree for 32 leaves at once, without a stack, once to count and once to write: two launches and a
cumulative sum. The space for the lists is a function of the sizes alone, because the result must be. A leaf without
space for its lists sums over all particles, which is correct but slow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import gpu_shares
from ..world import Alone, World, ends_of, share_of
from .gpu_build import Plan, Tree, programs

if TYPE_CHECKING:
    from torch import Tensor

#: Space for runs and for boxes, as a mean over leaves at opening 1, by dimension. A ball of 1e6 particles needs 4 and
#: 69 in 2D, 15 and 167 in 3D; 1e5 particles with three quarters in a clump need 9 and 78, and 23 and 152.
RUNS, BOXES = {2: 64, 3: 128}, {2: 512, 3: 1024}
#: Leaves of a program, one for each lane.
LANES = 32


@dataclass
class Lists:
    """Lists of all leaves: ``near`` (.., 2) has first and last + 1 of runs of leaves, ``far`` (..,) numbers of boxes.

    ``held`` (2, leaves) counts the entries of each leaf, and ``ends`` (2, leaves) is their end in the lists.
    """

    near: Tensor
    far: Tensor
    held: Tensor
    ends: Tensor

    def left_out(self) -> Tensor:
        """Number of leaves without space for their lists, as a 0-d tensor."""
        room = self.ends.new_empty((2, 1))
        room[0].fill_(len(self.near))
        room[1].fill_(len(self.far))
        return (self.ends > room).any(0).sum()


def room(plan: Plan, opening: float) -> tuple[int, int]:
    """Lengths of the lists of runs and of boxes, from mean numbers for each leaf that grow as opening^-d."""
    factor = max(1.0, opening**-plan.dim)
    runs, boxes = (min(int(mean[plan.dim] * factor), 2 * plan.leaves) for mean in (RUNS, BOXES))
    return runs * plan.used, boxes * plan.used


def interactions(tree: Tree, opening: float, world: World | None = None) -> Lists:
    """Build the lists. A box is far if its half sides are below ``opening`` times the gap to the leaf and it has more
    particles than proxies.

    The ranks of ``world`` count entries for their own leaves, exchange the counts, and write the lists of their leaves;
    offsets, and the leaves without space, are those of one rank.
    """
    import torch

    plan, device, world = tree.plan, tree.box.device, world or Alone()
    first, last = share_of(plan.used, world)
    runs, boxes = room(plan, opening)
    held = torch.empty((2, plan.used), dtype=torch.int32, device=device)
    near = torch.empty((runs, 2), dtype=torch.int32, device=device)
    far = torch.empty(boxes, dtype=torch.int32, device=device)
    ends = held  # not read by the first round
    for write in (0, 1):
        programs().walk[(-(-(last - first) // LANES),)](
            tree.box,
            held,
            ends,
            near,
            far,
            opening,
            plan.used,
            first,
            last,
            plan.leaves,
            plan.deepest,
            runs,
            boxes,
            D=plan.dim,
            WRITE=write,
            BLOCK=LANES,
            num_warps=1,
        )
        if not write:
            gpu_shares.join(held, ends_of(plan.used, world.size), world)
            ends = held.cumsum(1, dtype=torch.int64)
    return Lists(near, far, held, ends)
