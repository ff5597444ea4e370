"""ksdp: DeepParticle for Keller-Segel chemotaxis.

>>> import ksdp_cli as ksdp
>>> run = ksdp.simulate(flow="laminar2d", A="1:100:11log", T=0.02)   # a stored run: run.frame(case, k), run.dataset()
>>> trained = ksdp.train(run.path)
>>> cloud = ksdp.sample(trained.path, n=1_000_000, A=50)
>>> fresh = ksdp.simulate(flow="laminar2d", A=50, T=0.02, seed=1)
>>> ksdp.compare(cloud.path, fresh.path)
>>> ksdp.reference.radial(0.05).mass_within(0.2, 0.05)   # what a run without flow in 2D tends to as J grows

Names are resolved when they are first used, so importing the package imports nothing heavy.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .lazy import lazily

if TYPE_CHECKING:
    from .api import compare, sample, simulate, train
    from .api.importing import clouds
    from .base import rng
    from .errors import KsdpError
    from .exact import answers as reference
    from .hookspecs import hookimpl
    from .registry import Component
    from .store import open_run

_HOMES = {
    "simulate": ".api",
    "train": ".api",
    "sample": ".api",
    "compare": ".api",
    "clouds": ".api.importing",
    "open_run": ".store",
    "hookimpl": ".hookspecs",
    "Component": ".registry",
    "KsdpError": ".errors",
}
#: Modules that are part of the interface, by their public names.
_MODULES = {"reference": ".exact.answers", "rng": ".base.rng"}

__all__ = [
    "Component",
    "KsdpError",
    "clouds",
    "compare",
    "hookimpl",
    "open_run",
    "reference",
    "rng",
    "sample",
    "simulate",
    "train",
]


_get = lazily(__name__, _HOMES, _MODULES)


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from .plugins import own_version

        return own_version()
    return _get(name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
