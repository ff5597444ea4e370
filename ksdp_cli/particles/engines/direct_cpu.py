"""The direct sum over all pairs on the CPU, vectorised, on all cores."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import numpy as np

from ...base.shapes import Cloud
from ...base.threads import core_count, parallel_map
from ..kernel_compiler.source import load_module
from ..world import Alone, World, share_of

#: Tasks for each thread, to balance the cores; smallest number of pairs in a task, to be worth its overhead; largest
#: number of targets in a task, so that they stay in the second-level cache with their forces.
PIECES, WORTH, MOST = 4, 1_000_000, 4096


def template(name: str) -> str:
    """Read the text of an engine template."""
    return files("ksdp_cli.particles.kernel_compiler").joinpath("templates", f"{name}.txt").read_text()


def compile_direct(kernel: object, dim: int, dtype: str) -> Callable[..., None]:
    """Compile ``accumulate(targets..., sources..., forces..., p)`` for a kernel, with one array for each axis.

    It adds sum_i g(|s_i - t_j|^2) (s_i - t_j) to the float64 force on every target. It sums blocks of ``BLOCK`` sources
    in ``dtype`` and the blocks in float64, so that 1e6 sources lose no digits in float32.
    """
    accumulate: Callable[..., None] = load_module(template("direct"), kernel, dim, dtype).accumulate
    return accumulate


class DirectCPU:
    """F_j = sum over i != j of g(r_ij^2) (X_i - X_j), equation (8) without its factor, in O(J^2)."""

    name = "direct"

    def __init__(
        self,
        kernel: object,
        kernel_args: tuple[float, ...],
        dim: int,
        dtype: str,
        threads: int | None = None,
        world: World | None = None,
    ) -> None:
        self.accumulate = compile_direct(kernel, dim, dtype)
        self.args = np.array(kernel_args, dtype)
        self.dtype, self.dim = dtype, dim
        self.threads = threads or core_count()
        self.world = world or Alone()

    def __call__(self, x: Cloud) -> Cloud:
        """Return the forces (J, d) in the dtype of ``x`` (J, d); with several ranks, those on this rank's share."""
        axes = [np.ascontiguousarray(x[:, axis], dtype=self.dtype) for axis in range(self.dim)]
        low, high = share_of(len(x), self.world)
        force = np.zeros((self.dim, high - low))
        size = min(max(-(-(high - low) // (PIECES * self.threads)), WORTH // len(x)), MOST)

        def piece(first: int) -> None:
            targets, forces = slice(low + first, min(low + first + size, high)), slice(first, first + size)
            self.accumulate(*(axis[targets] for axis in axes), *axes, *(row[forces] for row in force), self.args)

        parallel_map(piece, range(0, high - low, size), self.threads)
        return force.T.astype(x.dtype, order="C")

    def report(self) -> dict[str, object]:
        return {"engine": "direct", "threads": self.threads}

    def state(self) -> dict[str, object]:
        """Empty: the engine is not adaptive."""
        return {}

    def restore(self, state: dict[str, object]) -> None:
        """Does nothing: the engine is not adaptive."""
