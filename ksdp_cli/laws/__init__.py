"""Laws with exact answers for a flow, a kernel, a chemistry and the integrator: one file each, for ``ksdp laws``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import ConfigError
from ..particles.problem import pose
from . import (
    brownian,
    chemical_decay,
    chemical_mass,
    collapse,
    critical_mass,
    divergence,
    few_particles,
    field_energy,
    frozen_modes,
    linear,
    momentum,
    scaling,
    scaling_run,
    second_moment,
    second_moment_run,
    spreading,
    standing,
    third_law,
    two_particles,
)
from .base import Finding

LAWS = (
    *(divergence, third_law, scaling, second_moment, critical_mass, brownian, second_moment_run, few_particles),
    *(two_particles, collapse, chemical_mass, chemical_decay, frozen_modes, field_energy, momentum, linear),
    *(spreading, standing, scaling_run),
)
#: Options of `ksdp_cli.simulate` that laws look at, beside parameters of flow, kernel and chemistry. Particles, times
#: and steps are a law's own.
USED = frozenset({"flow", "kernel", "chemistry", "dim", "mu", "chi", "M", "delta2", "scheme", "seed", "device", "t0"})


def check(options: Mapping[str, object]) -> Iterator[Finding]:
    """Check, one by one, the laws that hold for the flow, the kernel, the chemistry and the dimension of ``options``.

    ``options`` are those of `ksdp_cli.simulate`. Raises `ConfigError` if they are not valid.
    """
    problem = pose(dict(options))
    if len(problem.cases) > 1:
        raise ConfigError(f"laws of {len(problem.cases)} cases", "give one value of each parameter")
    for law in LAWS:
        if law.holds(problem):
            yield law.check(problem)
