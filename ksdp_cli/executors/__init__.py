"""Where calls run that need not run here: processes of this machine, or an engine of somebody else's, by name.

An executor is a component as a flow is, and loaded when it is used.
"""

from __future__ import annotations

from .. import plugins
from ..registry import Entry
from .base import Workers, listen, stop_signal
from .following import follow

__all__ = ["DEFAULT", "Workers", "follow", "listen", "named", "stop_signal"]

DEFAULT = "processes"


def open_executor(spec: str, workers: int | None) -> Workers:
    """The executor that ``NAME``, ``NAME:PLACE`` or ``DISTRIBUTION:NAME:PLACE`` says, with ``workers`` calls at once.

    Raises `ConfigError` for a name that there is not, and `ResourceError` where its package is missing.
    """
    entry, place = _split(spec)
    made: Workers = entry.load()(place, workers)
    return made


def _split(spec: str) -> tuple[Entry, str]:
    registry = plugins.registry()
    first, _, rest = spec.partition(":")
    long_name, _, place = rest.partition(":")
    if any(f"{first}:{long_name}" == entry.long_name for entry in registry.of_kind("executor")):
        return registry.find("executor", f"{first}:{long_name}"), place
    return registry.find("executor", first), rest
