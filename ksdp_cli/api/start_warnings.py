"""Warnings about a simulation before its first step."""

from __future__ import annotations

from ..base.listener import Say
from ..base.shapes import Cloud
from ..particles import collapse, flow_steps, preflight
from ..particles.problem import Problem
from .mesh_at_end import mesh_at_end


def warn_before_start(problem: Problem, cloud: Cloud, coarse: str | None, warn: Say | None) -> None:
    """Issue ``coarse`` (the `precision_warning`) and the warnings on flow, chemical and initial ``cloud`` (J, d)."""
    of_steps = preflight.step_warning(problem), flow_steps.flow_warning(problem)
    mesh = mesh_at_end(problem, cloud)
    of_chemical = preflight.chemical_warning(problem), mesh.doubt() if mesh else None
    for doubt in (coarse, *of_steps, *of_chemical, *collapse.doubts(problem, cloud)):
        if doubt and warn:
            warn(doubt)
