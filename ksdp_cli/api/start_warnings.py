"""Warnings about a simulation before its first step."""

from __future__ import annotations

from ..base.listener import Say
from ..base.shapes import Cloud
from ..particles import collapse, flow_advice, preflight
from ..particles.problem import Problem
from .mesh_at_end import mesh_at_end


def warn_before_start(problem: Problem, cloud: Cloud, coarse: str | None, warn: Say | None) -> None:
    """Issue ``coarse`` (the `precision_warning`) and the warnings on flow, chemical and initial ``cloud`` (J, d).

    The law of that cloud may have one of its own, as `Density.doubt`.
    """
    of_steps = preflight.step_warning(problem), _idle(problem), flow_advice.flow_warning(problem)
    mesh = mesh_at_end(problem, cloud)
    of_chemical = preflight.chemical_warning(problem), mesh.doubt() if mesh else None
    own = getattr(problem.initial, "doubt", None)
    for doubt in (own, coarse, *of_steps, *of_chemical, *collapse.doubts(problem, cloud)):
        if doubt and warn:
            warn(doubt)


def _idle(problem: Problem) -> str | None:
    """Warn of a ``dt_fraction`` where no step can be halved."""
    config = problem.config
    if config.halvings or config.dt_fraction == type(config).model_fields["dt_fraction"].default:
        return None
    return f"--dt-fraction {config.dt_fraction:g} changes nothing, since no step is halved; add --halvings or --dt auto"
