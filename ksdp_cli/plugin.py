"""All that a plugin's author imports; the manifest pays for no more than it names.

>>> from ksdp_cli.plugin import Component, hookimpl
>>> Component("swirl", "my_flow.flow:Swirl", "solid rotation").name
'swirl'

``Component`` and ``hookimpl`` make a manifest; ``Params``, ``Field`` and ``namespace`` a flow or kernel; ``rng`` an
initial cloud; ``Matching`` and ``matching_value`` a transition solver; ``Distance``, ``Profile`` and ``Transport`` a
metric; ``Workers`` and ``listen`` an executor. ``Flow``, ``Kernel``, ``InitialCloud`` and ``TransitionSolver`` are the
contracts, which `ksdp_cli.testing` checks. Errors for a user derive from ``KsdpError``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .errors import ConfigError, DataError, KsdpError, NumericalError, ResourceError
from .hookspecs import hookimpl
from .lazy import lazily
from .registry import Component

if TYPE_CHECKING:
    from pydantic import Field

    from .assignment.base import Matching, TransitionSolver, matching_value
    from .base import rng
    from .base.arrays import namespace
    from .base.params import Params
    from .executors.base import Workers, listen
    from .flows.base import Flow
    from .initial.base import InitialCloud
    from .kernels.base import Kernel
    from .metrics.base import Distance, Profile, Transport

__all__ = [
    "Component",
    "ConfigError",
    "DataError",
    "Distance",
    "Field",
    "Flow",
    "InitialCloud",
    "Kernel",
    "KsdpError",
    "Matching",
    "NumericalError",
    "Params",
    "Profile",
    "ResourceError",
    "TransitionSolver",
    "Transport",
    "Workers",
    "hookimpl",
    "listen",
    "matching_value",
    "namespace",
    "rng",
]

_HOMES = {
    "Distance": ".metrics.base",
    "Field": "pydantic",
    "Flow": ".flows.base",
    "InitialCloud": ".initial.base",
    "Kernel": ".kernels.base",
    "Matching": ".assignment.base",
    "Params": ".base.params",
    "Profile": ".metrics.base",
    "TransitionSolver": ".assignment.base",
    "Transport": ".metrics.base",
    "Workers": ".executors.base",
    "listen": ".executors.base",
    "matching_value": ".assignment.base",
    "namespace": ".base.arrays",
}

__getattr__ = lazily(__package__, _HOMES, modules={"rng": ".base.rng"})


def __dir__() -> list[str]:
    return __all__
