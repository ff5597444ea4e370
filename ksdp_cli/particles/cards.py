"""The card of a rank: the one that has its number on its host."""

from __future__ import annotations

from ..errors import ConfigError
from .world import World


def take(world: World, device: str) -> None:
    """Have torch mean this rank's card by "cuda". Raises `ConfigError` where a host has more ranks than cards."""
    if device != "cuda" or world.size == 1:
        return
    import torch

    cards = torch.cuda.device_count()
    if world.local > cards:
        raise ConfigError(
            f"{world.local} ranks on a host with {cards} {'card' if cards == 1 else 'cards'}",
            f"each rank needs its own: use {f'--nproc-per-node {cards}, or ' if cards else ''}--device cpu",
        )
    torch.cuda.set_device(world.place)
