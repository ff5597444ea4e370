"""The cases of one store side by side: each a run of its own in another process, on an executor of the library.

A case that has come to its end leaves its last state as its checkpoint, with what it has to say of its run. The owner
of the store reads them, so that a sweep whose driver or workers were killed goes on with what is missing.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import executors, provenance
from ..base import checkpoint
from ..base.listener import Listener
from ..base.threads import core_count, limited
from ..config import SimulateConfig
from ..errors import ConfigError, Interrupted, ResourceError
from ..particles.problem import Problem, pose
from ..store import Owner, open_run
from .case_store import CaseStore
from .checkpoints import Checkpoints
from .clouds import opened
from .headers import END_STATE, MADE_BY, marks, run_id
from .integrating import integrate

#: Seconds between two looks at signals and at the cases that have ended.
LOOK = 0.2


def run_case(store: str, number: int, device: str, threads: int | None) -> None:
    """Bring case ``number`` of a store that was laid out to its end, from where it is. To be called in any process.

    Raises as `simulate`, `ConfigError` where the flow, the kernel or the initial cloud cannot be found by its name.
    """
    path = Path(store)
    config = dict(open_run(path).config)
    with limited(threads):
        stop = executors.stop_signal
        bring_to_its_end(pose(config | {"init": opened(config["init"])}), path, number, device, Listener(stop=stop))


def bring_to_its_end(problem: Problem, path: Path, number: int, device: str, listener: Listener) -> None:
    """`run_case` of a problem that is posed."""
    if number in dict(_ended(path, range(len(problem.cases)), len(open_run(path).header.times))):
        return
    alone = replace(problem, cases=[problem.cases[number]])
    with CaseStore(path, number) as store:
        watch = integrate(alone, store, device, True, listener)
        watch.save(last=True)


def sweep(problem: Problem, owner: Owner, device: str, workers: int, listener: Listener) -> None:
    """Bring every case to its end by ``workers`` processes, then say of the store what one process would have said.

    The numbers are those of one process, bit for bit. Raises as `simulate`, and `ResourceError` when a worker was
    killed: what its case had saved stays.
    """
    require_names(problem)
    cases, ready = range(len(problem.cases)), len(owner.times)
    missing = sorted(set(cases) - dict(_ended(owner.path, cases, ready)).keys())
    threads = max(1, core_count() // workers)
    with executors.processes(min(workers, max(1, len(missing)))) as (executor, ask_to_stop):
        work = {executor.submit(run_case, str(owner.path), n, device, threads): n for n in missing}
        _follow(executor, work, len(cases), ask_to_stop, owner.path, listener)
    conclude(problem, owner)


def conclude(problem: Problem, owner: Owner) -> bool:
    """Where every case has ended, note their facts and mark their frames; whether they have."""
    cases = range(len(problem.cases))
    ended = dict(_ended(owner.path, cases, len(owner.times)))
    if len(ended) < len(cases):
        return False
    states = [ended[number] for number in cases]
    facts = {
        "seconds": sum(state["seconds"] for state in states),
        "steps": sum(state["facts"]["steps"] for state in states),
        "hardware": states[0]["facts"]["hardware"],
        MADE_BY: states[0][MADE_BY],
        "engine": [report for state in states for report in state["facts"]["engine"]],
        "largest_pull": max(state["facts"]["largest_pull"] for state in states),
    }
    collapsed = [state["collapsed"] for state in states]
    if any(t is not None for t in collapsed):
        facts["collapsed_from"] = collapsed[0] if len(collapsed) == 1 else collapsed
    if all(state["whole"] for state in states):
        facts[END_STATE] = json.dumps(
            {
                "run": run_id(problem.config, marks(problem)),
                MADE_BY: states[0][MADE_BY],
                "seconds": facts["seconds"],
                "k": len(owner.times),
                "engines": [state["engine"] for state in states],
                "collapsed": {str(n): t for n, t in enumerate(collapsed) if t is not None},
            }
        )
    owner.annotate(**facts)
    owner.commit()
    return True


def commands_of(config: SimulateConfig, cases: int, out: str | Path) -> list[str]:
    """A command for each case of a sweep, for any scheduler, in any order and at the same time."""
    whole = provenance.command("simulate", config)
    return [f"{whole} --case {number} -o {shlex.quote(str(out))}" for number in range(cases)]


def require_names(problem: Problem) -> None:
    """Raise `ConfigError` where another process cannot find what ``problem`` is made of."""
    if problem.contents:
        raise ConfigError(
            f"{', '.join(problem.contents)} is known to this process alone",
            "register it (see the plugin guide), or leave --workers out",
        )


def _ended(path: Path, cases: range, frames: int) -> Iterator[tuple[int, dict[str, Any]]]:
    """The cases whose last state, after ``frames`` frames, is kept, with its header."""
    files = Checkpoints(path)
    for number in cases:
        if checkpoint.exists(files.of(number)):
            state, _ = checkpoint.newest(files.of(number), lambda h: None if h.get("k") == frames else "has not ended")
            if state and "facts" in state[0]:
                yield number, state[0]


def _follow(
    executor: Executor, work: dict[Future[None], int], total: int, ask_to_stop: Any, path: Path, listener: Listener
) -> None:
    """Wait for the cases, tell of them, and pass a signal on. Raises the first error once all that run have ended."""
    waiting, signal, error = set(work), None, None
    while waiting:
        done, waiting = wait(waiting, LOOK, FIRST_COMPLETED)
        for future in done:
            if not future.cancelled() and (error is None) and (problem := future.exception()) is not None:
                error = problem
                executor.shutdown(wait=False, cancel_futures=True)
        if signal is None and listener.stop and (signal := listener.stop()) is not None:
            executor.shutdown(wait=False, cancel_futures=True)
            ask_to_stop(signal)
        if listener.progress:
            listener.progress("cases", total - len(waiting), total, "")
    again = f"the same command with --resume and -o {path} goes on from here"
    if signal is not None:
        raise Interrupted(f"stopped by signal {signal}; the states are saved", signal, again)
    if isinstance(error, BrokenProcessPool):
        raise ResourceError("a worker process was killed", again) from None
    if error is not None:
        raise error
