"""The parameters of a flow, kernel or chemistry: each field is an option, a column of a store, and a thing to sweep."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """Base of a component's parameters: unknown names and non-finite numbers are refused, values are fixed."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
