"""The tree and the proxies of the GPU's treecode: a fixed number of launches, and no value that the host waits for.

Particles are sorted by their place on a Hilbert curve, and equal runs of them are the leaves of an implicit binary
tree: node i has the children 2 i and 2 i + 1, and the numbers from ``leaves`` = 2^depth on are the leaves in the order
of the curve. All sizes follow from the number of particles. Sorting is stable, so that equal places stay in the order
of the cloud. Of the pairs that a particle hears, a Morton curve makes 1.5 to 2.3 times more, and median splits of the
longest side 0.7 times as many, at the price of a sort for every level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any

from ..engines.direct_cpu import template
from ..kernel_compiler.module_cache import import_text

if TYPE_CHECKING:
    import torch
    from torch import Tensor

#: Cells a side of the curve, as a power of 2, for two and three dimensions: a key has 62 or 63 bits.
BITS = {2: 31, 3: 21}
#: Proxies and sources of a block of the anterpolation; particles of a block of keys; boxes of a block of their union.
OUT, BLOCK, KEYS, UNION = 64, 32, 256, 128


@cache
def programs() -> ModuleType:
    """The module of the Triton programs that no kernel changes."""
    return import_text(template("tree_build_gpu"), "tree_build_gpu")


@dataclass(frozen=True)
class Plan:
    """The sizes of a tree over ``count`` particles in ``dim`` dimensions with n proxies a side."""

    count: int
    dim: int
    leaf: int
    n: int

    @property
    def used(self) -> int:
        """Leaves that have particles."""
        return -(-self.count // self.leaf)

    @property
    def depth(self) -> int:
        return (self.used - 1).bit_length()

    @property
    def leaves(self) -> int:
        """Number of the first leaf."""
        return 1 << self.depth

    @property
    def size(self) -> int:
        """Proxies of a box."""
        return int(self.n**self.dim)

    @property
    def bottom(self) -> int:
        """The last level whose boxes have more particles than proxies; -1 when there is none."""
        return max((m for m in range(self.depth + 1) if self.leaf << (self.depth - m) > self.size), default=-1)

    @property
    def deepest(self) -> int:
        """Boxes with this number and above have no proxies."""
        return 2 << self.bottom if self.bottom >= 0 else 1

    @property
    def proxies(self) -> int:
        """Where in the array of sources the proxies begin, box i at i n^d behind it; before are the particles."""
        return self.used * self.leaf

    @property
    def room(self) -> int:
        """Sources: particles, copies that fill the last leaf, and proxies. Rounded up, so that rows are aligned."""
        return -(-(self.proxies + self.deepest * self.size) // 128) * 128

    def boxes(self, level: int) -> int:
        """Boxes of a level that have particles."""
        return -(-self.used >> (self.depth - level))

    def held(self, level: int) -> int:
        """Particles of a full box of a level."""
        return self.leaf << (self.depth - level)


@dataclass
class Tree:
    """``order`` (J,) places in the cloud by the curve; ``source`` (d, room) and ``weight`` (room,) particles in that
    order and then proxies; ``box`` (2 leaves, 2 d) middles and half sides; ``low``, ``high`` (d,) ends of the cloud."""

    plan: Plan
    order: Any
    source: Any
    weight: Any
    box: Any
    low: Any
    high: Any


def build(x: Tensor, plan: Plan) -> Tree:
    """Sort the contiguous cloud ``x`` (J, d) along the curve and put boxes about the leaves and all that holds them."""
    import torch

    run, dim, leaves = programs(), plan.dim, plan.leaves
    low, high = torch.aminmax(x, dim=0)
    key = torch.empty(plan.count, dtype=torch.int64, device=x.device)
    run.curve[(-(-plan.count // KEYS),)](x, low, high, key, plan.count, D=dim, BITS=BITS[dim], BLOCK=KEYS)
    order = key.sort(stable=True).indices
    source, weight = x.new_empty((dim, plan.room)), x.new_empty(plan.room)
    box = x.new_empty((2 * leaves, 2 * dim))
    run.leaf_boxes[(leaves,)](
        x, order, source, weight, box, plan.count, plan.room, leaves, D=dim, LEAF=plan.leaf, num_warps=1
    )
    if leaves > 1:
        run.inner_boxes[(leaves - 1,)](box, plan.count, plan.leaf, leaves, D=dim, BLOCK=UNION, num_warps=1)
    return Tree(plan, order, source, weight, box, low, high)


def add_proxies(tree: Tree) -> None:
    """Fill in the proxies of every level from the particles of the deepest one upwards; the root's nobody hears."""
    plan, nodes = tree.plan, chebyshev(tree.plan.n, tree.source)
    size, begin = plan.size, plan.proxies
    for level in range(plan.bottom, 0, -1):
        if level == plan.bottom:
            first, each, last = 0, plan.held(level), plan.count
        else:  # the proxies of two children are the sources of their parent
            below = 2 << level
            first, each = begin + below * size, 2 * size
            last = first + plan.boxes(level + 1) * size
        programs().gather[(plan.boxes(level), -(-size // OUT))](
            tree.source,
            tree.weight,
            tree.box,
            nodes,
            plan.room,
            begin,
            1 << level,
            first,
            each,
            last,
            plan.n,
            D=plan.dim,
            OUT=OUT,
            BLOCK=BLOCK,
            enable_fp_fusion=True,  # Triton 3.10 changes the default
        )


def chebyshev(n: int, like: Tensor) -> Tensor:
    """The n Chebyshev points of the first kind, and 1 / product of (t_a - t_b) over b other than a, as (2, n)."""
    return _chebyshev(n, like.dtype, like.device)


@cache
def _chebyshev(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Computed on the device in float64: a copy from the host would wait."""
    import torch

    odd = 2 * torch.arange(n, dtype=torch.float64, device=device) + 1
    # the product is the derivative of T_n, n sin(n u) / sin(u) at cos(u), over its leading coefficient 2^(n - 1)
    u = math.pi * odd / (2 * n)
    factor = 2.0 ** (n - 1) * torch.sin(u) / (n * torch.sin(n * u))
    return torch.stack([torch.cos(u), factor]).to(dtype)
