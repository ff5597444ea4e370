"""The mesh engine, replaced for good by the tree at the first call at which accuracy or grid size is insufficient."""

from __future__ import annotations

from typing import Any

from ...base.files import JsonDict
from ...base.shapes import Cloud
from ...errors import ResourceError
from ..tree.engine import TreeEngine
from ..world import World
from .engine import MOST, MeshEngine

#: Largest number of grid nodes for each particle at which the mesh is faster than the tree: a node takes 30 ns, a
#: particle 0.1 us instead of 0.6 us (`benchmarks/mesh.py`).
PAYING = 8.0


class MeshOrTree:
    """F_j = sum over i != j of g(r_ij^2) (X_i - X_j), equation (8) without its factor, in the plane.

    The tree replaces the mesh if the measured error exceeds ``accuracy`` at the finest cells, or if the grid needs more
    nodes than memory allows or, with ``if_it_pays``, than are faster than the tree. The decision depends on the set of
    particles and the number of the call, so that a run repeats to the bit.
    """

    name = "mesh or tree"

    def __init__(
        self,
        kernel: object,
        kernel_args: tuple[float, ...],
        dtype: str,
        particles: int,
        accuracy: float = 1e-4,
        threads: int | None = None,
        if_it_pays: bool = True,
        world: World | None = None,
    ) -> None:
        most = min(MOST, PAYING * particles) if if_it_pays else MOST
        #: The reason why the tree replaces the mesh; empty while the mesh is in use.
        self.note = "" if kernel_args[0] > 0 else "delta = 0 gives no cell size for a mesh"
        self.tree = TreeEngine(kernel, kernel_args, 2, dtype, accuracy=accuracy, threads=threads, world=world)
        self.mesh = MeshEngine(kernel, kernel_args, dtype, accuracy, threads, most, world)

    def __call__(self, x: Cloud) -> Cloud:
        """Forces in the type of ``x`` (J, 2), as of either engine; all NaN when a position is not finite."""
        if not self.note:
            force = self._by_mesh(x)
            if not self.note:
                return force
        return self.tree(x)

    def report(self) -> dict[str, object]:
        """Return the report of the engine in use; ``note`` gives the reason if it is the tree."""
        return self.tree.report() | {"note": self.note} if self.note else self.mesh.report()

    def state(self) -> dict[str, object]:
        """Return what a resumed run needs to repeat to the bit."""
        return {"note": self.note, "mesh": self.mesh.state(), "tree": self.tree.state()}

    def restore(self, state: JsonDict) -> None:
        """Continue from the `state` of another engine of this class."""
        self.note = str(state["note"])
        self.mesh.restore(state["mesh"])
        self.tree.restore(state["tree"])

    def _by_mesh(self, x: Cloud) -> Cloud:
        """The force by the mesh; sets `note` if the tree must replace it."""
        try:
            force = self.mesh(x)
        except ResourceError as error:
            self.note = f"from force {self.mesh.tuner.calls} on the mesh would have {error.message}"
            return x
        report: Any = self.mesh.report()
        if report["checked_at_call"] >= 0 and not report["met"]:
            self.note = (
                f"from force {report['checked_at_call']} on the mesh has an error of {report['error']:.2g} "
                f"at {report['cells_a_delta']:.2g} cells in delta"
            )
        return force
