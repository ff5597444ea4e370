"""What ``ksdp.reference`` offers: exact answers, and solvers of the limit, that runs are compared with."""

from __future__ import annotations

from .collapse import Collapse
from .radial import RadialSolution, radial
from .radial_chemistry import ChemotaxisSolution
from .self_similar import SelfSimilar, self_similar

__all__ = ["ChemotaxisSolution", "Collapse", "RadialSolution", "SelfSimilar", "radial", "self_similar"]
