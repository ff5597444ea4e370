"""The GPU of a rank: the one whose number is the rank's place on its host."""

from __future__ import annotations

from ..errors import ConfigError
from .world import World


def take(world: World, device: str) -> None:
    """Make this rank's GPU the current one of torch. Raises `ConfigError` if a host has more ranks than GPUs."""
    if device != "cuda" or world.size == 1:
        return
    import torch

    cards = torch.cuda.device_count()
    if world.local > cards:
        raise ConfigError(
            f"{world.local} ranks on a host with {cards} {'card' if cards == 1 else 'cards'}",
            f"use {f'--nproc-per-node {cards}, one rank for each card, or ' if cards else ''}--device cpu",
        )
    torch.cuda.set_device(world.place)
