"""Particles from a trained network."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from ..base.settings import Device, Real, Settings, Whole


class SampleConfig(Settings):
    """New particles from a trained network."""

    n: Whole = Field(100_000, ge=1, description="number of particles, as 1e6")
    eta: dict[str, Real] = Field(default_factory=dict, description="physical parameters by name")
    seed: Whole = Field(0, ge=0, lt=2**63, description="seed of the input cloud, and of Brownian paths")
    beyond: Literal["network", "simulate"] = Field(
        "network",
        description="beyond the last trained time: network extrapolates; simulate continues the network's particles of "
        "that time by equation (8)",
    )
    device: Device = Field("auto", description="device of network and particles")
