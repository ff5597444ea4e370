"""ksdp: DeepParticle for Keller-Segel chemotaxis.

>>> import ksdp
>>> ksdp.models()[0]                                     # networks that ship
'kolmogorov-amplitude'
>>> model = ksdp.open_model("laminar2d-amplitude")
>>> model(ksdp.rng.uniforms(0, 0, 0, 0, 3, 2), A=50).shape
(3, 2)
>>> law = ksdp.reference.radial(0.05)                    # what a run without flow in 2D tends to as J grows
>>> round(float(law.second_moment(0.05)), 6)             # equation (6): 1/2 - 4 t
0.3

A run, a network of it, its samples and their distance from a fresh run; each is a file that `ksdp` commands read too::

    run = ksdp.simulate(flow="laminar2d", A="1:100:11log", T=0.02)   # run.frame(case, k), run.dataset()
    trained = ksdp.train(run)
    cloud = ksdp.sample(trained, n=1_000_000, A=50)
    ksdp.compare(cloud, "simulate")

Names are resolved when they are first used, so importing the package imports nothing heavy. ``import ksdp`` and
``import ksdp_cli`` give the same names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import lazily

if TYPE_CHECKING:
    from .api import compare, sample, simulate, train
    from .api.describing import info
    from .api.exporting import export
    from .api.importing import clouds
    from .api.models import models, open_model
    from .api.planning import plan
    from .base import rng
    from .base.listener import Listener, Progress
    from .errors import KsdpError, KsdpWarning
    from .exact import answers as reference
    from .experiments.reproducing import reproduce
    from .hookspecs import hookimpl
    from .learning.model import Model
    from .registry import Component
    from .store import Run, open_run
    from .views.plotting import plot
    from .views.report.reporting import report

    __version__: str

_HOMES = {
    "simulate": ".api",
    "train": ".api",
    "sample": ".api",
    "compare": ".api",
    "clouds": ".api.importing",
    "plot": ".views.plotting",
    "report": ".views.report.reporting",
    "export": ".api.exporting",
    "reproduce": ".experiments.reproducing",
    "info": ".api.describing",
    "open_run": ".store",
    "Run": ".store",
    "open_model": ".api.models",
    "models": ".api.models",
    "plan": ".api.planning",
    "Model": ".learning.model",
    "Listener": ".base.listener",
    "Progress": ".base.listener",
    "hookimpl": ".hookspecs",
    "Component": ".registry",
    "KsdpError": ".errors",
    "KsdpWarning": ".errors",
}
#: Modules that are part of the interface, by their public names.
_MODULES = {"reference": ".exact.answers", "rng": ".base.rng"}

__all__ = [
    "Component",
    "KsdpError",
    "KsdpWarning",
    "Listener",
    "Model",
    "Progress",
    "Run",
    "clouds",
    "compare",
    "export",
    "hookimpl",
    "info",
    "models",
    "open_model",
    "open_run",
    "plan",
    "plot",
    "reference",
    "report",
    "reproduce",
    "rng",
    "sample",
    "simulate",
    "train",
]

if not TYPE_CHECKING:  # a type checker must see that other names are not there
    _get = lazily(__name__, _HOMES, _MODULES)

    def __getattr__(name: str) -> object:
        if name == "__version__":
            from .plugins import own_version

            return own_version()
        return _get(name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
