"""The mesh while it keeps the accuracy and its grid fits, and the tree from the first call on where it does not."""

from __future__ import annotations

from typing import Any

from ...base.files import JsonDict
from ...base.shapes import Cloud
from ...errors import ResourceError
from ..tree.engine import TreeEngine
from ..world import World
from .engine import MOST, MeshEngine

#: Nodes a particle up to which a force by the mesh takes less time than by the tree: a node 30 ns, a particle 0.1 us
#: against 0.6 us, as `benchmarks/mesh.py` has them.
PAYING = 8.0


class MeshOrTree:
    """F_j = sum over i != j of g(r_ij^2) (X_i - X_j), equation (8) without its factor, in the plane.

    The mesh is left for good where its measured error misses ``accuracy`` at the finest cells, or where its grid would
    have more nodes than memory allows or, with ``if_it_pays``, than make it faster than the tree. What decides is the
    set of particles and the number of the call, so that a run repeats to the bit.
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
        #: Why the tree sums, empty while the mesh does.
        self.note = "" if kernel_args[0] > 0 else "delta = 0 sets no size of a mesh's cells"
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
        """That of the engine in use; ``note`` says why it is the tree."""
        return self.tree.report() | {"note": self.note} if self.note else self.mesh.report()

    def state(self) -> dict[str, object]:
        """What a resumed run needs to repeat this one to the bit."""
        return {"note": self.note, "mesh": self.mesh.state(), "tree": self.tree.state()}

    def restore(self, state: JsonDict) -> None:
        """Take over the `state` of another engine of the same kind."""
        self.note = str(state["note"])
        self.mesh.restore(state["mesh"])
        self.tree.restore(state["tree"])

    def _by_mesh(self, x: Cloud) -> Cloud:
        """The force by the mesh; where it is not to be used, `note` says why."""
        try:
            force = self.mesh(x)
        except ResourceError as error:
            self.note = f"from force {self.mesh.tuner.calls} on the mesh would have {error.message}"
            return x
        told: Any = self.mesh.report()
        if told["checked_at_call"] >= 0 and not told["met"]:
            self.note = (
                f"from force {told['checked_at_call']} on the mesh has an error of {told['error']:.2g} "
                f"at {told['cells_a_delta']:.2g} cells a delta"
            )
        return force
