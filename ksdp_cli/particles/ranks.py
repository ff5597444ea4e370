"""The choice of the world of a process, by its launcher or by the user."""

from __future__ import annotations

from ..base import launcher
from ..errors import ConfigError
from .world import Alone, World

WORLDS = ("alone", "torch", "mpi")


def world_of(name: str | None = None) -> World:
    """Return the world called ``name``; by default that of torchrun if it started this process, else this process
    alone.

    Raises `ConfigError` for an unknown name or without the launcher, and `ResourceError` without the library.
    """
    if name not in (None, *WORLDS):
        raise ConfigError(f"there is no world {name!r}", f"use {', '.join(WORLDS[:-1])} or {WORLDS[-1]}")
    if name == "torch" and not launcher.by_torchrun():
        raise ConfigError("world torch without its launcher", "start with torchrun --nproc-per-node N -m ksdp_cli")
    if name == "torch" or (name is None and launcher.by_torchrun()):
        from .torch_world import TorchWorld

        return TorchWorld()
    if name == "mpi":
        from .mpi_world import MpiWorld

        return MpiWorld()
    return Alone()
