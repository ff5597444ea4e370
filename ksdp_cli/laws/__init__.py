"""Laws with exact answers for a flow, a kernel and the integrator: one file each, checked by ``ksdp laws``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..particles.problem import pose
from . import brownian, divergence, scaling, second_moment, second_moment_run, third_law
from .base import Finding

LAWS = (divergence, third_law, scaling, second_moment, brownian, second_moment_run)


def check(options: Mapping[str, object]) -> Iterator[Finding]:
    """Check, one by one, the laws that hold for the flow, the kernel and the dimension of ``options``.

    ``options`` are those of `ksdp_cli.simulate`. Raises `ConfigError` if they are not valid.
    """
    problem = pose(dict(options))
    for law in LAWS:
        if law.holds(problem):
            yield law.check(problem)
