"""Stages of reproductions by other processes: what does not wait for anything, then networks, then distances.

Every stage is a call that finds what is done, so that the process which asked goes through all of them once more as if
it were alone, and repeats none.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import executors
from ..base.files import JsonDict
from ..base.listener import Listener
from ..base.threads import limit_threads
from .definition import Experiment
from .stages import Stages

if TYPE_CHECKING:
    from .reproducing import Job

#: Name of a stage and the arguments of the method of `Stages` that makes it.
Step = tuple[str, list[Any]]


def levels(job: Job, stages: Stages, seeds: Sequence[int]) -> list[list[Step]]:
    """The stages of a job; those of one level wait for the levels before it and for no other of their own."""
    points = [dict(row.at) for row in job.experiment.rows] if job.rows else []
    first: list[Step] = [("data", [])] + ([("validation", [])] if job.experiment.validation else [])
    first += [("reference", [at, number]) for at in points for number in range(stages.scale.references)]
    networks: list[Step] = [("network", [seed]) for seed in (seeds if job.rows else seeds[:1])]
    measured: list[Step] = [("measured", [at, seed]) for at in points for seed in [None, *seeds]]
    return [first, networks, measured]


def make_ahead(
    jobs: Sequence[tuple[Job, Stages, Sequence[int]]], executor: str, workers: int | None, listener: Listener
) -> None:
    """Make the stages of all jobs by an executor. Raises as `follow`, and what the stages raise.

    The last bits of a network depend on the number of torch's threads, so that every process takes as many as this one;
    they wait without spinning, since there are more of them than cores.
    """
    import torch

    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # of the processes to come: here it was read long ago
    planned = [(job, stages, levels(job, stages, seeds)) for job, stages, seeds in jobs]
    for level in range(3):
        steps = [(stages, *step) for _, stages, found in planned for step in found[level]]
        missing = [(stages, name, words) for stages, name, words in steps if not stages.has(name, words)]
        if not missing:
            continue
        with executors.named(executor, workers) as pool:
            work = [
                pool.submit(make, stages.given, pool.threads, torch.get_num_threads(), name, words)
                for stages, name, words in missing
            ]
            pool.begin(missing[0][0].folder.parent.absolute() / "jobs")
            before = len(steps) - len(missing)
            executors.follow(pool, work, listener, "the same command goes on from here", "stages", before)


def make(given: JsonDict, threads: int | None, torch_threads: int, name: str, words: list[object]) -> None:
    """One stage, in any process: ``given`` are the arguments of `Stages`, as `Stages.given` has them."""
    import torch

    own = dict(given)
    experiment, folder = Experiment.model_validate(own.pop("experiment")), Path(own.pop("folder"))
    stages = Stages(experiment, own.pop("scale"), folder, stop=executors.stop_signal, **own)
    torch.set_num_threads(torch_threads)
    with limit_threads(threads):
        stages.by_name(name, words)
