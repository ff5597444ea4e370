"""What each leaf of the GPU's tree hears: runs of leaves, particle by particle, and boxes through their proxies.

A program walks down the tree for 32 leaves at once, without a stack, first to count and then to write: two launches and
a running sum. The room for the lists is a function of the sizes alone, as the result must be; a leaf whose lists find
no room hears all particles one by one, which is right and slow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import gpu_shares
from ..world import Alone, World, ends_of, share_of
from .gpu_build import Plan, Tree, programs

if TYPE_CHECKING:
    from torch import Tensor

#: Room for runs and boxes, for each leaf on average, at opening 1. A ball of 1e6 particles needs 4 and 69 in two
#: dimensions, 15 and 167 in three; three quarters of it in a clump, 9 and 78, 23 and 152 at 1e5.
RUNS, BOXES = {2: 64, 3: 128}, {2: 512, 3: 1024}
#: Leaves of a program, one a lane.
LANES = 32


@dataclass
class Lists:
    """``near`` (.., 2) first and last + 1 of runs of leaves, ``far`` (..,) numbers of boxes; ``held`` (2, leaves) how
    many of each a leaf has, ``ends`` (2, leaves) where they end."""

    near: Tensor
    far: Tensor
    held: Tensor
    ends: Tensor

    def left_out(self) -> Tensor:
        """Leaves that hear all particles one by one, as a tensor without axes."""
        room = self.ends.new_empty((2, 1))
        room[0].fill_(len(self.near))
        room[1].fill_(len(self.far))
        return (self.ends > room).any(0).sum()


def room(plan: Plan, opening: float) -> tuple[int, int]:
    """Entries of the lists: for each leaf a number that grows like the boxes within reach, and never all boxes."""
    more = max(1.0, opening**-plan.dim)
    runs, boxes = (min(int(most[plan.dim] * more), 2 * plan.leaves) for most in (RUNS, BOXES))
    return runs * plan.used, boxes * plan.used


def interactions(tree: Tree, opening: float, world: World | None = None) -> Lists:
    """The lists. A box is heard through its proxies when its half sides are below ``opening`` times the gap to the
    leaf, and it has more particles than proxies. Ranks of a ``world`` count for their leaves, of which all hear, and
    then write the lists of these: the places of entries, and which leaves find no room, are as on one rank."""
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
