"""Executors by name: run calls in other processes, on this machine or elsewhere.

An executor is a component, like a flow, and is loaded at its first use.
"""

from __future__ import annotations

from .. import plugins
from ..registry import Entry
from .base import Workers, listen, stop_signal
from .following import first_of, follow

__all__ = ["DEFAULT", "Workers", "first_of", "follow", "listen", "open_executor", "place_of", "stop_signal"]

DEFAULT = "processes"


def open_executor(spec: str, workers: int | None) -> Workers:
    """Start the executor ``NAME``, ``NAME:PLACE`` or ``DISTRIBUTION:NAME:PLACE`` with ``workers`` calls at once.

    Raises `ConfigError` for an unknown name, and `ResourceError` if its package is missing.
    """
    entry, place = _split(spec)
    executor: Workers = entry.load()(place, workers)
    return executor


def place_of(spec: str) -> str:
    """The part of ``NAME:PLACE`` after the name; empty for this machine."""
    return _split(spec)[1]


def _split(spec: str) -> tuple[Entry, str]:
    registry = plugins.registry()
    first, _, rest = spec.partition(":")
    long_name, _, place = rest.partition(":")
    if any(f"{first}:{long_name}" == entry.long_name for entry in registry.of_kind("executor")):
        return registry.find("executor", f"{first}:{long_name}"), place
    return registry.find("executor", first), rest
