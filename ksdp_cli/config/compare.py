"""The comparison of two clouds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from ..base.settings import Device, Names, Settings, Whole, cli_text
from ..errors import ConfigError


class CompareConfig(Settings):
    """Distances between two clouds, each with its noise floor."""

    N: Whole | None = Field(
        None,
        description="particles per cloud in the exact distance",
        json_schema_extra=cli_text(
            default="all of the smallest cloud, up to 1e4; a fifth of it if halves of the reference make the floor; "
            "two clouds of your own of equal size whole"
        ),
    )
    repeats: Whole | None = Field(
        None,
        description="number of sub-samples",
        json_schema_extra=cli_text(default="as many disjoint ones as there are, up to 3"),
    )
    estimator: Literal["certified", "emd"] = Field("certified", description="exact solver")
    metrics: Names = Field(
        ("w2", "sliced", "radial"),
        description="registered metrics, as w2,binned: w2, sliced, radial, binned, bound and those of plugins ('ksdp "
        "plugins')",
        json_schema_extra={"also": "--metric"},
    )
    seed: Whole = Field(0, ge=0, lt=2**63, description="seed of the sub-samples, not of a run")
    device: Device = Field("auto", description="device of a model")

    @model_validator(mode="after")
    def _ranges(self) -> CompareConfig:
        for name in ("N", "repeats"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name} = {value}", f"give --{name} a value of 1 or more")
        return self
