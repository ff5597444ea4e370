"""First and last positions of a short run with the kernel of a problem."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..api.simulating import simulate
from ..base.listener import discard
from ..particles.problem import Problem


def ends(problem: Problem, **options: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions (J, d) at t = 0 and t = T of a run from the unit ball, with mu and the kernel of the first case."""
    case, config = problem.cases[0], problem.config
    kept: dict[str, Any] = {name: values[0] for name, values in config.kernel_params.items()}
    kept |= {"scheme": config.scheme}  # a registered name, so that a plugin's works
    with tempfile.TemporaryDirectory() as folder:
        run = simulate(
            out=Path(folder) / "law.zarr",
            kernel=config.kernel,
            dim=config.dim,
            mu=case.mu,
            device=config.device,
            seed=case.seed,
            dtype="float64",
            snapshots=[0.0, options.pop("T")],
            warn=discard,  # of a step that is coarse on purpose
            **(kept | options),
        )
        first, last = run.frame(0, 0).astype(np.float64), run.frame(0, 1).astype(np.float64)
    return first, last
