"""The contract of an engine for the pair sum of equation (8), and the choice among them."""

from __future__ import annotations

import math
from typing import Any, Protocol

from ...errors import ConfigError
from ..kernel_compiler.source import parameter_count
from ..world import World

#: Number of particles from which `auto` leaves the direct sum on the CPU at an accuracy of 1e-2, and its growth with
#: each further digit, by dimension. By `benchmarks/tree.py --crossover` the tree is then 0.9 to 1.1 times as fast in
#: 2D, 0.7 to 1.8 times in 3D, by cloud and accuracy.
CROSSOVER = {2: (4_000, 1.15), 3: (6_000, 1.8)}
#: The same on a GPU: 6e4 in 2D at 1e-4 and 4.5e4 in 3D at 1e-3, from `benchmarks/gpu.py` on one NVIDIA H200; the growth
#: is that of the CPU. Only with the direct engine do the cases of a sweep run together.
CROSSOVER_GPU = {2: (45_000, 1.15), 3: (25_000, 1.8)}


class DriftEngine(Protocol):
    """Computes F_j = sum over i != j of g(r_ij^2) (X_i - X_j), equation (8) without its factor, for ``x`` (J, d).

    ``report`` returns the name, the sizes and, for an approximate engine, the measured error. ``state`` and ``restore``
    save and load the sizes of an adaptive engine in a checkpoint, so that a resumed run repeats to the bit.
    """

    name: str

    def __call__(self, x: Any, /) -> Any: ...

    def report(self) -> dict[str, object]: ...

    def state(self) -> dict[str, object]: ...

    def restore(self, state: dict[str, object]) -> None: ...


def tree_pays(particles: int, dim: int, accuracy: float, device: str = "cpu") -> bool:
    """Whether `auto` takes the tree for faster than the direct sum on ``device``."""
    least, growth = (CROSSOVER_GPU if device == "cuda" else CROSSOVER)[dim]
    return bool(particles >= least * growth ** -math.log10(accuracy / 1e-2))


def make_engine(
    kernel: object,
    kernel_args: tuple[float, ...],
    dim: int,
    dtype: str,
    particles: int,
    *,
    name: str = "auto",
    accuracy: float = 1e-4,
    device: str = "cpu",
    threads: int | None = None,
    world: World | None = None,
) -> DriftEngine:
    """Build the engine called ``name`` (``auto``, ``direct``, ``tree``, ``mesh``) for a kernel in ``dim`` dimensions.

    ``auto`` chooses the direct sum for few particles and the tree for many, or, in the plane on the CPU, the mesh if it
    is faster. The tree replaces the mesh if that is unsuitable. ``kernel_args`` are delta^2 and the kernel's
    parameters; ``threads`` defaults to all cores of the process. The ranks of ``world`` share the work, and get the
    forces on their own particles. On a GPU the caller shares out the targets of the direct sum, and with the tree each
    rank gets all forces.

    Raises `ConfigError` for an unknown name, a kernel without this dimension or with other parameters, and a mesh in 3D
    or on a GPU; `ResourceError` for a GPU without Triton.
    """
    if name not in ("auto", "direct", "tree", "mesh"):
        raise ConfigError(f"there is no engine {name!r}", "use auto, direct, tree or mesh")
    if len(kernel_args) != parameter_count(kernel, dim):
        raise ConfigError(
            f"g{dim}d of kernel {getattr(kernel, '__name__', kernel)} takes {parameter_count(kernel, dim)} parameters "
            f"after r2, and delta^2 with the fields of its Params are {len(kernel_args)}",
            "give g one argument for delta2 and one for each field, in order",
        )
    if threads is not None and threads < 1:
        raise ConfigError(f"threads = {threads}", "use 1 or more")
    if name == "mesh" and (dim, device) != (2, "cpu"):
        raise ConfigError(
            f"the mesh engine in {dim}D on {device}", "use auto, direct or tree: the mesh is for 2D on the CPU"
        )
    if device == "cuda":
        if name == "tree" or (name == "auto" and tree_pays(particles, dim, accuracy, device)):
            from ..tree.gpu import TreeGPU

            return TreeGPU(kernel, kernel_args, dim, dtype, accuracy, world)
        from .direct_gpu import DirectGPU

        return DirectGPU(kernel, kernel_args, dim, dtype)
    if name == "auto" and not tree_pays(particles, dim, accuracy):
        name = "direct"
    if name == "mesh" or (name == "auto" and dim == 2):
        from ..mesh.or_tree import MeshOrTree

        return MeshOrTree(
            kernel, kernel_args, dtype, particles, accuracy, threads, if_it_pays=name == "auto", world=world
        )
    if name != "direct":
        from ..tree.engine import TreeEngine

        return TreeEngine(kernel, kernel_args, dim, dtype, accuracy=accuracy, threads=threads, world=world)
    from .direct_cpu import DirectCPU

    return DirectCPU(kernel, kernel_args, dim, dtype, threads, world)
