"""Stages of reproductions in other processes: each starts as soon as the stages that it needs are finished.

Every stage loads finished work, so the calling process then goes through all stages as if alone and repeats none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import executors
from ..base.files import JsonDict
from ..base.listener import Listener
from ..base.threads import limit_threads
from ..executors import Workers
from .definition import Experiment
from .drawing import references_of
from .stages import Stages
from .targets import Job


@dataclass(eq=False)
class Step:
    """A stage by the name that `Stages.by_name` makes it by, its arguments, and the steps that it waits for."""

    stages: Stages
    name: str
    words: list[Any]
    needs: tuple[Step, ...] = ()

    @property
    def level(self) -> int:
        """The longest way to a step that waits for none."""
        return 1 + max((need.level for need in self.needs), default=-1)


def steps_of(job: Job, stages: Stages, seeds: Sequence[int]) -> list[Step]:
    """The stages of a job, each after those that it waits for."""
    points = [dict(row.at) for row in job.experiment.rows] if job.rows else []
    points = [at for k, at in enumerate(points) if at not in points[:k]]  # a reference has one writer
    first = [Step(stages, "data", [])]
    first += [Step(stages, "validation", [])] if job.experiment.validation else []
    places = [(at, number) for at in points for number in range(stages.scale.references)]
    for figure in job.experiment.figures:
        if figure.name in job.figures:
            places += [one for one in references_of(figure) if one not in places]
    references = [Step(stages, "reference", [at, number]) for at, number in places]
    networks = [Step(stages, "network", [seed], (*first,)) for seed in (seeds if job.rows else seeds[:1])]
    measurements = [
        Step(stages, "measured", [at, seed], (*[r for r in references if r.words[0] == at], *networks[i : i + 1]))
        for at in points
        for i, seed in [(len(networks), None), *enumerate(seeds)]
    ]
    return [*first, *references, *networks, *measurements]


def make_ahead(
    jobs: Sequence[tuple[Job, Stages, Sequence[int]]], executor: str, workers: int | None, listener: Listener
) -> None:
    """Make the stages of all jobs by an executor. Raises as `follow`, and what the stages raise.

    The last bits of a network depend on the number of torch's threads, so that every process takes as many as this one;
    they wait without spinning, since there are more of them than cores.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # of the processes to come: here it was read long ago
    steps = sorted((step for job in jobs for step in steps_of(*job)), key=lambda step: step.level)
    left = [step for step in steps if not step.stages.has(step.name, step.words)]
    while left:
        with executors.open_executor(executor, workers) as pool:
            # calls that outlive this process are sent together: a level at a time
            batch = [step for step in left if not pool.outlives or step.level == left[0].level]
            _make(batch, pool, listener, len(steps) - len(left), len(steps))
        left = left[len(batch) :]


def _make(steps: Sequence[Step], pool: Workers, listener: Listener, before: int, total: int) -> None:
    """Make ``steps`` by one executor, each as soon as it can be."""
    import torch

    waiting, steps_by_call = list(steps), dict[Future[None], Step]()
    open_ones = {*steps}

    def ready() -> list[Future[None]]:
        able = [step for step in waiting if not open_ones.intersection(step.needs)]
        threads = pool.threads, torch.get_num_threads()
        new = {pool.submit(make, step.stages.arguments, *threads, step.name, step.words): step for step in able}
        waiting[:] = [step for step in waiting if step not in able]
        steps_by_call.update(new)
        return [*new]

    def then(done: Future[None]) -> Iterable[Future[None]]:
        open_ones.remove(steps_by_call[done])
        return ready()

    work = ready()
    pool.begin(steps[0].stages.folder.parent.absolute() / "jobs")
    executors.follow(pool, work, listener, "repeat the command to continue", "stages", before, total, then)


def make(arguments: JsonDict, threads: int | None, torch_threads: int, name: str, words: list[object]) -> None:
    """One stage, in any process: with the ``arguments`` of `Stages`, as `Stages.arguments` has them."""
    import torch

    own = dict(arguments)
    experiment, folder = Experiment.model_validate(own.pop("experiment")), Path(own.pop("folder"))
    stages = Stages(experiment, own.pop("scale"), folder, stop=executors.stop_signal, **own)
    torch.set_num_threads(torch_threads)
    with limit_threads(threads):
        stages.by_name(name, words)
