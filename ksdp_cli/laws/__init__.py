"""Laws that a flow, a kernel and the integrator must keep, with exact answers: one file a law, run by ``ksdp laws``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..particles.problem import pose
from . import brownian, divergence, scaling, second_moment, second_moment_run, third_law
from .base import Finding

LAWS = (divergence, third_law, scaling, second_moment, brownian, second_moment_run)


def check(options: Mapping[str, Any]) -> Iterator[Finding]:
    """What each law that holds for the flow, the kernel and the dimension of ``options`` says of them, one by one.

    ``options`` are those of `ksdp_cli.simulate`. Raises `ConfigError` where they pose no problem.
    """
    problem = pose(dict(options))
    for law in LAWS:
        if law.holds(problem):
            yield law.check(problem)
