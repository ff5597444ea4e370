"""Types of the options of `simulate` and `train` for editors and type checkers; `ksdp_cli.config` explains them.

Parameters of your own flow, kernel or chemistry go into ``flow_params`` and so on; at run time their names are options
too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..flows.base import Flow
from ..initial.base import InitialCloud
from ..store import Run

#: A number, or text as on the command line: ``"1e6"``, ``"16pi"``.
Number: TypeAlias = float | str
#: One value or several; text may be ``"1,10,100"`` or ``"1:100:11log"``.
Values: TypeAlias = float | str | Sequence[float] | NDArray[np.floating] | NDArray[np.integer]
Device: TypeAlias = Literal["auto", "cpu", "cuda"]


class SimulateOptions(TypedDict, total=False):
    """The fields of `SimulateConfig`, and the parameters of what ships."""

    flow: str | type | Flow
    kernel: str | type
    dim: int | str
    init: str | Path | type | Run | InitialCloud
    J: Number
    t0: Number
    T: Number
    dt: Number
    halvings: Number
    dt_fraction: Number
    snapshots: Values
    mu: Values
    chi: Values
    M: Values
    delta2: Values
    A: Values
    flow_params: Mapping[str, Values]
    kernel_params: Mapping[str, Values]
    init_params: Mapping[str, Number]
    seed: Values
    zip: str | Sequence[str]
    device: Device
    dtype: Literal["float32", "float64"]
    engine: Literal["auto", "direct", "tree", "mesh"]
    origin: Literal["fixed", "moving"]
    sampling: Literal["random", "quiet"]
    accuracy: Number
    scheme: str
    merge: Literal["none", "delta", "stop"]
    chemistry: str
    c0: str | Path | Run
    chemistry_params: Mapping[str, Values]
    store_field: Number
    store_gradient: Literal["no", "yes"]
    field_side: Number
    #: Parameters of the chemistry that ships.
    eps: Values
    k: Values
    box: Values
    modes: Values
    boxes: Values
    #: Parameters of the initial clouds that ship.
    radius: Number
    inner: Number
    outer: Number
    thickness: Number
    x0: Number
    y0: Number
    z0: Number
    life: Number
    cut: Number
    grid: str
    extent: Number
    width: Number
    bumps: Number
    distance: Number
    pull: Number
    inertia: Number
    age: Number


class TrainOptions(TypedDict, total=False):
    """The fields of `TrainConfig`."""

    algorithm: Literal["fresh", "paper"]
    network: Literal["auto", "paper", "residual", "separable", "product"]
    eta: str | Sequence[str]
    N: Number
    sets: Number
    steps: Number
    renew_batch: Number
    renew_gamma: Number
    solver: str
    sub_problems: Number
    sub_problem_size: Number
    tolerance: Number
    most_sub_problems: Number
    optimiser: Literal["soap", "adam"]
    learning_rate: Number
    decay: Literal["cosine", "none"]
    average: Number
    keep: Literal["auto", "last", "best"]
    held_out: Number | None
    validate_n: Number
    validate_every: Number
    stop_excess: Number
    seed: Number
    device: Device
