"""The names of ``ksdp.reference``: exact solutions and solvers of the mean-field limit, to compare runs with."""

from __future__ import annotations

from .collapse import Collapse
from .radial import RadialSolution, radial
from .radial_chemistry import ChemotaxisSolution
from .second_moment import SecondMomentLaw, second_moment_law
from .self_similar import SelfSimilar, self_similar

__all__ = [
    "ChemotaxisSolution",
    "Collapse",
    "RadialSolution",
    "SecondMomentLaw",
    "SelfSimilar",
    "radial",
    "second_moment_law",
    "self_similar",
]
