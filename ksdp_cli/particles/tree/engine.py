"""The sub-quadratic pair sum on the CPU for any kernel: a dual-tree traversal with Chebyshev proxies.

Two boxes that are small compared with the gap between them interact through their proxies (M2L), at a cost independent
of their particles. If only one of them is small, its proxies interact with the particles of the other (M2P, P2L).
Neighbouring leaves interact particle by particle (P2P). All sums use one vectorised loop over g, so that a kernel needs
no expansion. The error is measured, not estimated; see `accuracy`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from ...base.shapes import Cloud
from ...base.threads import core_count, parallel_map
from ..engines.direct_cpu import compile_direct, template
from ..kernel_compiler.source import load_module
from ..world import Alone, World, share_of
from . import build as tree_build
from . import proxies as tree_proxies
from . import sharing
from . import walk as tree_walk
from .accuracy import Rung, Tuner, ladder, sample_of, sampled_error
from .proxies import Workspace


@cache
def compile_tree(kernel: object, dim: int, dtype: str) -> object:
    """Compile the weighted direct loop over a kernel's g to a C function, the only part that depends on the kernel."""
    return load_module(template("tree"), kernel, dim, dtype).compiled()


class TreeEngine:
    """F_j = sum over i != j of g(r_ij^2) (X_i - X_j), equation (8) without its factor, in O(J).

    ``accuracy`` is the target for the relative l2 error of the force. The result depends on the set of positions, on
    the number of the call and on `state`, but not on the order of the cloud or the numbers of threads and ranks.
    """

    name = "tree"

    def __init__(
        self,
        kernel: object,
        kernel_args: tuple[float, ...],
        dim: int,
        dtype: str,
        accuracy: float = 1e-4,
        threads: int | None = None,
        world: World | None = None,
    ) -> None:
        self.pair_sum = compile_tree(kernel, dim, dtype)
        self.reference = compile_direct(kernel, dim, "float64")
        self.args, self.dtype, self.dim = kernel_args, np.dtype(dtype), dim
        self.p = np.array(kernel_args, dtype)
        self.threads = threads or core_count()
        self.world = world or Alone()
        self.tuner = Tuner(accuracy, ladder(dim, dtype))

    def __call__(self, x: Cloud) -> Cloud:
        """Return the forces (J, d) in the dtype of ``x`` (J, d); with several ranks, those on this rank's share.

        They are NaN if a position is not finite.
        """
        positions = np.ascontiguousarray(x, self.dtype)
        low, high = share_of(len(x), self.world)
        force = np.zeros((high - low, self.dim), x.dtype)
        if len(x) < 2 or not np.isfinite(positions).all():
            force[:] = 0.0 if len(x) < 2 else np.nan
            return force
        w, index = self.tuner.run(lambda rung: self._sum(positions, rung), lambda result, n: self._error(result[0], n))
        tree_build.to_cloud(w.force, index, low, force)
        return force

    def report(self) -> dict[str, object]:
        """Return the current order, opening and leaf size, and the last measured errors, l2 and largest, relative to
        the root mean square force of the sample."""
        return {"engine": self.name, "threads": self.threads, **self.tuner.report()}

    def state(self) -> dict[str, object]:
        """Return what a resumed run needs to repeat to the bit."""
        return self.tuner.state()

    def restore(self, state: dict[str, object]) -> None:
        """Continue from the `state` of another engine of this class."""
        self.tuner.restore(state)

    def _run(self, task: Callable[[int], object], items: Iterable[int]) -> list[object]:
        return parallel_map(task, items, self.threads)

    def _sum(self, x: Cloud, rung: Rung) -> tuple[Workspace, NDArray[np.int32]]:
        """Positions and forces in tree order, and their indices in the cloud.

        Threads process the subtrees twice, upward and downward, and the few boxes above them in between. Each rank
        builds and traverses its share of the subtrees.
        """
        tree = tree_build.plant(x, rung.leaf)
        w = tree_proxies.workspace(tree.c, tree.centre, tree.half, *rung.orders(tree.depth))
        top = tree_build.task_level(len(x), tree.depth, self.world.size)
        first, last = share_of(2**top, self.world)
        above = [
            range(first >> (top - level), -(-last >> (top - level))) for level in range(top)
        ]  # boxes above a subtree of this rank
        for level, boxes in enumerate(above):
            shared = self.threads if len(x) >> level > tree_build.LARGE else 1
            parallel_map(partial(tree_build.grow, tree, level, level), boxes, shared)

        below = tree.depth - top

        def up(k: int) -> None:
            tree_build.grow(tree, top, tree.depth, k)
            tree_proxies.leaf_moments(k << below, (k + 1) << below, *w[2:8])
            tree_proxies.upward(top, k, tree.depth, *w[:8])

        self._run(up, range(first, last))
        if self.world.size > 1:
            sharing.exchange(tree, w, top, self.world)
        if top:
            tree_proxies.upward(0, 0, top - 1, *w[:8])
        visit = self.dtype.type(rung.opening), self.pair_sum, self.p, *w[2:]
        lists = {0: np.zeros(1, np.int64)}
        for level, boxes in enumerate(above):
            left = {m: tree_walk.descend(level, m, lists[m], level, *visit) for m in boxes}
            lists = {m: left[m // 2] for m in range(2 * boxes.start, 2 * boxes.stop)}

        def down(k: int) -> None:
            tree_walk.descend(top, k, lists[k], tree.depth, *visit)
            tree_proxies.leaf_fields(k << below, (k + 1) << below, *w[2:5], *w[-4:])

        self._run(down, range(first, last))
        if self.world.size > 1:
            for row in w.force:
                self.world.join(row, sharing.particle_ends(len(x), top, self.world))
        return w, tree.index

    def _error(self, w: Workspace, number: int) -> tuple[float, float]:
        """The error in tree order, so that the sample is a function of the positions alone."""
        sample = sample_of(w.c.shape[1], number)
        return sampled_error(self.reference, self.args, w.c.T, w.force.T[sample], sample, self._run, self.world)
