"""The world that a process belongs to, as its launcher or its user says."""

from __future__ import annotations

from ..base import launcher
from ..errors import ConfigError
from .world import Alone, World

WORLDS = ("alone", "torch", "mpi")


def world_of(asked: str | None = None) -> World:
    """The ranks that torchrun started with this process, those of ``mpiexec`` where "mpi" is asked for, or this process
    alone. Raises `ConfigError` for another name, and where a launcher or a library is missing.
    """
    if asked not in (None, *WORLDS):
        raise ConfigError(f"there is no world {asked!r}", f"use {', '.join(WORLDS[:-1])} or {WORLDS[-1]}")
    if asked == "torch" and not launcher.by_torchrun():
        raise ConfigError("world torch without its launcher", "start with torchrun --nproc-per-node N -m ksdp_cli")
    if asked == "torch" or (asked is None and launcher.by_torchrun()):
        from .torch_world import TorchWorld

        return TorchWorld()
    if asked == "mpi":
        from .mpi_world import MpiWorld

        return MpiWorld()
    return Alone()
