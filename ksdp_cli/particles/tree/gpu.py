"""The sub-quadratic pair sum on a GPU: a treecode, in which distant boxes act through Chebyshev proxies (M2P).

It follows Wilson, Vaughn and Krasny, Comput. Phys. Commun. 265 (2021) 108017, and is O(J log J). `gpu_build` makes the
tree and the proxies, `gpu_lists` the interaction lists, and a Triton program sums each leaf's list. The host waits for
the device only when the error is checked. There are no atomics, and a force depends on no earlier one except for the
setting, so the result repeats to the bit. (Keeping the order of particles for some steps would save the sort, a fifth
of a force, but would make the bits depend on the history of a run.)

With several ranks each has a GPU. All ranks build the same tree and share its leaves. One program computes the lists
and sums of a leaf, in the same order on any rank, so the bits do not depend on the number of ranks. Counts and sums are
then copied to all ranks.

``TRITON_INTERPRET=1`` runs the programs on CPU tensors; the tests use this.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from ...base.files import JsonDict
from .. import gpu_shares
from ..engines.direct_cpu import template
from ..engines.direct_gpu import CHUNK, DirectGPU, require_torch
from ..kernel_compiler.source import load_module
from ..world import Alone, World, ends_of, share_of
from .accuracy import SAMPLE, Rung, Tuner
from .gpu_build import Plan, Tree, add_proxies, build
from .gpu_lists import Lists, interactions

if TYPE_CHECKING:
    from torch import Tensor

#: Particles of a leaf. Twice as many give 1.4 times the pairs in 2D and 1.1 times in 3D.
LEAF = 128
#: Launch parameters of the sum over the lists, as `direct_gpu.LAUNCH`.
LAUNCH: dict[tuple[int, str], dict[str, int]] = {
    (2, "float32"): {"TARGETS": 32, "SOURCES": 64, "num_warps": 2},
    (3, "float32"): {"TARGETS": 16, "SOURCES": 128, "num_warps": 4, "maxnreg": 96},
    (2, "float64"): {"TARGETS": 16, "SOURCES": 32, "num_warps": 4},
    (3, "float64"): {"TARGETS": 16, "SOURCES": 32, "num_warps": 4},
}


class TreeGPU:
    """F_j = sum over i != j of g(r_ij^2) (X_i - X_j), equation (8) without its factor, in O(J log J) on one GPU.

    ``accuracy`` is the target for the relative l2 error of the force, measured as on the CPU. Positions and forces are
    torch tensors (J, d) on the device. Raises `ResourceError` without Triton.
    """

    name = "tree"

    def __init__(
        self,
        kernel: object,
        kernel_args: tuple[float, ...],
        dim: int,
        dtype: str,
        accuracy: float,
        world: World | None = None,
    ) -> None:
        self.torch = require_torch()
        self.dim, self.args, self.dtype = dim, kernel_args, getattr(self.torch, dtype)
        self.list_sum = load_module(template("tree_gpu"), kernel, dim, "triton").list_sum
        self.options = options(dim, dtype)
        self.exact = DirectGPU(kernel, kernel_args, dim, "float64")
        self.tuner = Tuner(accuracy, ladder(dim, dtype))
        self.left_out = 0
        self.world = world or Alone()
        self._parameters: Any = None

    def __call__(self, x: Tensor) -> Tensor:
        """Return the forces (J, d) in the dtype and on the device of ``x`` (J, d); all NaN if a position is not
        finite."""
        if len(x) < 2:
            zeros: Tensor = self.torch.zeros_like(x)
            return zeros
        positions = x.to(self.dtype).contiguous()
        force: Tensor = self.tuner.run(
            lambda rung: self._sum(positions, rung), lambda f, n: self._error(positions, f, n)
        )
        return force.to(x.dtype)

    def report(self) -> dict[str, object]:
        """As on the CPU, with the number of leaves without space for their lists at the last check."""
        return {"engine": self.name, "device": "cuda", "leaves_left_out": self.left_out, **self.tuner.report()}

    def state(self) -> dict[str, object]:
        """Return what a resumed run needs to repeat to the bit, including the report."""
        return {"left_out": self.left_out, **self.tuner.state()}

    def restore(self, state: JsonDict) -> None:
        """Continue from the `state` of another engine of this class."""
        self.left_out = state["left_out"]
        self.tuner.restore({name: value for name, value in state.items() if name != "left_out"})

    def stages(self, x: Tensor) -> dict[str, Callable[[], object]]:
        """Functions that run the parts of a force on ``x`` (J, d) at the current setting, for timing."""
        rung = self.tuner.rungs[self.tuner.rung]
        positions = x.to(self.dtype).contiguous()
        plan = self._plan(len(x), rung)
        tree = build(positions, plan)
        add_proxies(tree)
        lists = interactions(tree, rung.opening, self.world)
        return {
            "sort and boxes": lambda: build(positions, plan),
            "proxies": lambda: add_proxies(tree),
            "lists": lambda: interactions(tree, rung.opening, self.world),
            "sum": lambda: self._listed(tree, lists),
        }

    def _plan(self, particles: int, rung: Rung) -> Plan:
        return Plan(particles, self.dim, rung.leaf, int(rung.order))

    def _sum(self, x: Tensor, rung: Rung) -> Tensor:
        tree = build(x, self._plan(len(x), rung))
        add_proxies(tree)
        self._lists = interactions(tree, rung.opening, self.world)
        return self._listed(tree, self._lists)

    def _listed(self, tree: Tree, lists: Lists) -> Tensor:
        """Forces (J, d) in the order of the cloud."""
        plan = tree.plan
        if self._parameters is None or self._parameters.device != tree.box.device:
            self._parameters = self.torch.tensor(self.args, dtype=self.dtype, device=tree.box.device)
        force: Tensor = tree.source.new_empty((plan.count, self.dim))
        blocks = plan.leaf // self.options["TARGETS"]
        several = self.world.size > 1
        first, last = share_of(plan.used, self.world)
        self.list_sum[((last - first) * blocks,)](
            tree.source,
            tree.weight,
            self.torch.arange(plan.count, device=tree.box.device) if several else tree.order,
            lists.near,
            lists.far,
            lists.held,
            lists.ends,
            tree.low,
            tree.high,
            force,
            self._parameters,
            plan.count,
            plan.proxies,
            plan.room,
            plan.used,
            first,
            plan.leaf,
            plan.size,
            -(-(1 << 20) // plan.size),
            len(lists.near),
            len(lists.far),
            D=self.dim,
            CHUNK=CHUNK,
            BLOCKS=blocks,
            **self.options,
            enable_fp_fusion=True,  # Triton 3.10 changes the default
        )
        if several:
            ends = [min(leaf * plan.leaf, plan.count) for leaf in ends_of(plan.used, self.world.size)]
            gpu_shares.join(force.T, ends, self.world)
            in_cloud: Tensor = self.torch.empty_like(force)
            in_cloud[tree.order] = force
            return in_cloud
        return force

    def _error(self, x: Tensor, force: Tensor, number: int) -> tuple[float, float]:
        """As `accuracy.sampled_error`, on the same sample, by the direct sum in float64 on the device."""
        torch = self.torch
        draw = np.random.Generator(np.random.Philox(key=number))
        drawn = np.arange(len(x)) if len(x) <= SAMPLE else draw.choice(len(x), SAMPLE, replace=False)
        sample = torch.from_numpy(drawn).to(x.device)
        wide = x.double()
        exact = self.exact(wide, wide[sample])
        wrong = (force[sample].double() - exact).norm(dim=1)
        numbers = torch.stack([exact.square().sum(1).mean(), wrong.square().mean(), wrong.max().square()]).sqrt()
        scale, error, largest = self.world.fetch(numbers).tolist()
        self.left_out = int(self._lists.left_out())
        if scale == 0.0:
            return (0.0, 0.0) if error == 0.0 else (math.inf, math.inf)
        return error / scale, largest / scale


def options(dim: int, dtype: str) -> dict[str, int]:
    """A copy of the row of `LAUNCH`."""
    return dict(LAUNCH[dim, dtype])


def ladder(dim: int, dtype: str) -> list[Rung]:
    """Orders with opening 1, then smaller openings; in float32 they end where rounding dominates."""
    last = (8 if dtype == "float32" else 14) if dim == 2 else 9
    rungs = [Rung(float(n), 0.0, 1.0, LEAF) for n in range(3, last + 1)]
    return rungs + [Rung(float(last), 0.0, opening, LEAF) for opening in (0.7, 0.5)]
