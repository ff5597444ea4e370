"""Short runs with the kernel or the chemistry of a problem."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..api.simulating import simulate
from ..base.listener import discard
from ..base.shapes import Cloud
from ..particles.case_run import CaseRun
from ..particles.problem import Problem, pose
from ..particles.simulation import Simulation


def ends(problem: Problem, **options: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Positions (J, d) at t = 0 and t = T of a run from the unit ball, with mu and the kernel of the first case."""
    case, config = problem.cases[0], problem.config
    common: dict[str, Any] = {name: values[0] for name, values in config.kernel_params.items()}
    common |= {"scheme": config.scheme}  # a registered name, so that a plugin's works
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
            **(common | options),
        )
        first, last = run.frame(0, 0).astype(np.float64), run.frame(0, 1).astype(np.float64)
    return first, last


def moved(problem: Problem, **options: Any) -> tuple[list[Cloud], list[CaseRun]]:
    """First positions (J, d) and the run at its end, for each case of ``options``, in memory and in float64.

    With mu, scheme and dimension of the first case of ``problem``, and its kernel. Raises as `Simulation`.
    """
    case, config = problem.cases[0], problem.config
    common: dict[str, Any] = {name: values[0] for name, values in config.kernel_params.items()}
    common |= {"kernel": config.kernel, "scheme": config.scheme, "dim": config.dim, "mu": case.mu, "dtype": "float64"}
    simulation = Simulation(pose(common | options), "cpu")
    simulation.start()
    first = [run.state.x.copy() for run in simulation.runs]
    simulation.run(lambda k, clouds: None, lambda done: None)
    return first, simulation.runs
