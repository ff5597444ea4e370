"""Parameters of a flow, kernel or chemistry: each field is an option, can be swept, and is stored for each case."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """Base of a component's parameters: rejects unknown names and non-finite numbers; immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
