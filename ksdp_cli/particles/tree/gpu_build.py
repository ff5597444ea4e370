"""The tree and the proxies (P2M, M2M) of the GPU's treecode, by a fixed number of launches without synchronisation.

Particles are sorted along a Hilbert curve. Runs of equal length are the leaves of an implicit binary tree: node i has
the children 2 i and 2 i + 1, and the nodes from ``leaves`` = 2^depth on are the leaves in the order of the curve. All
sizes follow from the number of particles. The sort is stable: equal keys stay in the order of the cloud. A Morton curve
would give 1.5 to 2.3 times as many interactions, median splits of the longest side 0.7 times as many, but with one sort
for each level.
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

#: log2 of the number of cells along a side of the curve, by dimension: a key has 62 or 63 bits.
BITS = {2: 31, 3: 21}
#: Block sizes: proxies and sources of the anterpolation, particles for keys, boxes for unions of boxes.
OUT, BLOCK, KEYS, UNION = 64, 32, 256, 128


@cache
def programs() -> ModuleType:
    """The module of the Triton programs that do not depend on the kernel."""
    return import_text(template("tree_build_gpu"), "tree_build_gpu")


@dataclass(frozen=True)
class Plan:
    """The sizes of a tree over ``count`` particles in ``dim`` dimensions with ``n`` proxies a side."""

    count: int
    dim: int
    leaf: int
    n: int

    @property
    def used(self) -> int:
        """Number of leaves with particles."""
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
        """Number of proxies of a box."""
        return int(self.n**self.dim)

    @property
    def bottom(self) -> int:
        """The last level whose boxes have more particles than proxies; -1 if there is none."""
        return max((m for m in range(self.depth + 1) if self.leaf << (self.depth - m) > self.size), default=-1)

    @property
    def deepest(self) -> int:
        """Boxes from this number on have no proxies."""
        return 2 << self.bottom if self.bottom >= 0 else 1

    @property
    def proxies(self) -> int:
        """Index of the first proxy in the array of sources, after the particles; box i starts i n^d later."""
        return self.used * self.leaf

    @property
    def room(self) -> int:
        """Length of the array of sources: particles, padding of the last leaf, proxies; rounded up for alignment."""
        return -(-(self.proxies + self.deepest * self.size) // 128) * 128

    def boxes(self, level: int) -> int:
        """Number of boxes with particles on a level."""
        return -(-self.used >> (self.depth - level))

    def held(self, level: int) -> int:
        """Number of particles in a full box of a level."""
        return self.leaf << (self.depth - level)


@dataclass
class Tree:
    """Arrays of a tree.

    ``order`` (J,): cloud indices along the curve. ``source`` (d, room) and ``weight`` (room,): particles in that order,
    then proxies. ``box`` (2 leaves, 2 d): centres and half sides. ``low`` and ``high`` (d,): limits of the cloud.
    """

    plan: Plan
    order: Any
    source: Any
    weight: Any
    box: Any
    low: Any
    high: Any


def build(x: Tensor, plan: Plan) -> Tree:
    """Sort the contiguous cloud ``x`` (J, d) along the curve and compute the boxes of all nodes."""
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
    """Fill in the proxies of each level, upwards from the particles; the root needs none."""
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
    """The n Chebyshev points t of the first kind, and 1 / product over b != a of (t_a - t_b), as (2, n)."""
    return _chebyshev(n, like.dtype, like.device)


@cache
def _chebyshev(n: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Computed on the device in float64, since a copy from the host would synchronise."""
    import torch

    odd = 2 * torch.arange(n, dtype=torch.float64, device=device) + 1
    # the product is the derivative of T_n, n sin(n u) / sin(u) at cos(u), over its leading coefficient 2^(n - 1)
    u = math.pi * odd / (2 * n)
    factor = 2.0 ** (n - 1) * torch.sin(u) / (n * torch.sin(n * u))
    return torch.stack([torch.cos(u), factor]).to(dtype)
