"""The training of a network: Algorithm 1."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from ..base.settings import Device, Names, Real, Settings, Whole, cli_text
from ..errors import ConfigError

#: What ``algorithm = "paper"`` changes: the paper's Algorithm 1 with its network, its solver and its intervals.
PAPER_TRAINING: dict[str, Any] = {
    "network": "paper", "steps": 10_000, "renew_batch": 1000, "renew_gamma": 200, "solver": "iterative-lp",
    "optimiser": "adam", "learning_rate": 5e-3, "average": 0.0, "decay": "none", "keep": "last",
}  # fmt: skip


class TrainConfig(Settings):
    """Algorithm 1 on the clouds of one store: as the paper has it, or with fresh mini-batches and exact matchings."""

    algorithm: Literal["fresh", "paper"] = Field(
        "fresh",
        description="Algorithm 1 as printed (paper), or with exact matchings and more frequent mini-batches (fresh)",
    )
    network: str = Field(
        "auto",
        description="form of the network: paper, residual, separable, product, or auto: separable for one parameter, "
        "product for two, else residual",
    )
    eta: Names = Field(
        (),
        description="physical parameters to learn, as A or t,A",
        json_schema_extra=cli_text(default="all that vary in the store"),
    )
    N: Whole = Field(2000, ge=1, description="particles of each data set in a mini-batch")
    sets: Whole = Field(0, ge=0, description="data sets in a mini-batch; 0: all up to 11, else 8")
    steps: Whole = Field(3000, ge=1, description="gradient steps")
    renew_batch: Whole = Field(50, ge=1, description="gradient steps between mini-batches")
    renew_gamma: Whole = Field(50, ge=1, description="gradient steps between transition matrices")
    solver: str = Field("certified", description="transition solver")
    sub_problems: Whole = Field(200, ge=1, description="N_LP: sub-problems per renewal of gamma, for iterative solvers")
    sub_problem_size: Whole = Field(50, ge=1, description="M: rows of a sub-problem, for iterative solvers")
    tolerance: Real = Field(
        1e-3,
        gt=0,
        description="where an iterative solver stops at a new mini-batch: the relative decrease of the value in a "
        "sweep; with --algorithm paper |dP| of one sub-problem [length^2]",
    )
    most_sub_problems: Whole = Field(
        0, ge=0, description="largest number of sub-problems at a new mini-batch, for iterative solvers; 0: no limit"
    )
    optimiser: str = Field("soap", description="optimiser: soap or adam")
    learning_rate: Real = Field(3e-3, gt=0, description="initial step size")
    decay: Literal["cosine", "none"] = Field("cosine", description="decay of the step size, to 1 % at the end")
    average: Real = Field(0.99, ge=0, lt=1, description="decay of the moving average of the weights; 0: no average")
    keep: Literal["auto", "last", "best"] = Field(
        "auto",
        description="weights of the model; auto: the last if averaged, else those with the best validation",
    )
    held_out: Real | None = Field(
        None,
        ge=0,
        lt=1,
        description="fraction of every cloud that is kept for validation; 0 with --algorithm paper and --validate",
        json_schema_extra=cli_text(default="0.2; of your own clouds 0.1"),
    )
    validate_n: Whole = Field(1000, ge=1, description="particles per cloud in the distances of a validation")
    validate_every: Whole = Field(500, ge=1, description="gradient steps between validations")
    stop_excess: Real = Field(
        0.0, ge=0, description="stop when validation exceeds its floor by less than this [length^2]; 0: never"
    )
    seed: Whole = Field(0, ge=0, lt=2**63, description="seed of the weights and of the sub-samples")
    device: Device = Field("auto", description="device of the training")

    @model_validator(mode="before")
    @classmethod
    def _algorithm(cls, data: object) -> object:
        """The paper's choices where the paper's algorithm is asked for and nothing else is said."""
        if isinstance(data, dict) and data.get("algorithm") == "paper":
            return PAPER_TRAINING | data
        return data

    @model_validator(mode="after")
    def _relative(self) -> TrainConfig:
        if self.algorithm != "paper" and self.tolerance >= 1:
            raise ConfigError(f"tolerance = {self.tolerance:g} is a part of the value", "give --tolerance less than 1")
        return self
