"""Run the cases of one store in parallel, each in another process, by an executor.

A finished case leaves its last state and the facts of its run as its checkpoint. The owner of the store reads them, so
a sweep whose driver or workers were killed continues with the missing cases.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from .. import executors, plugins, provenance
from ..base import checkpoint
from ..base.files import JsonDict
from ..base.listener import Listener
from ..base.threads import limit_threads
from ..config import SimulateConfig
from ..errors import ConfigError, Interrupted, NumericalError
from ..executors import Workers, first_of, follow
from ..particles.case_run import CaseRun
from ..particles.problem import Problem, pose
from ..particles.world import World
from ..store import Header, Owner, open_run
from ..store.create import MARKS
from ..store.layout import frames_of
from .case_store import CaseStore
from .checkpoints import Checkpoints
from .clouds import chemical, resolve_cloud
from .following import followed_by, from_columns
from .headers import MADE_BY, collapsed_from, end_state
from .integrating import integrate


def run_case(store: str, number: int, device: str, threads: int | None) -> list[str]:
    """Bring case ``number`` of a store that was laid out to its end, from where it is. To be called in any process.

    Returns the warnings. Raises as `simulate`, `ConfigError` where the flow, the kernel or the initial cloud cannot be
    found by its name.
    """
    path, warnings = Path(store), list[str]()
    run = open_run(path)
    listener = Listener(stop=executors.stop_signal, warn=warnings.append)
    with limit_threads(threads):
        problem = _pose(json.dumps(run.config), json.dumps({name: run.attrs.get(name) for name in MARKS}))
        bring_to_its_end(problem, path, number, device, listener, run.header)
    return warnings


@lru_cache(maxsize=1)
def _pose(text: str, marks: str) -> Problem:
    """Pose the problem of a stored configuration; cache it for the next case, since many cases take long.

    ``marks`` (`headers.marks`) also determine its numbers, and are part of the cache key.
    """
    config = json.loads(text)
    return pose(config | {"init": resolve_cloud(config["init"]), "c0": chemical(config.get("c0", "zero"))})


def bring_to_its_end(
    problem: Problem,
    path: Path,
    number: int,
    device: str,
    listener: Listener,
    header: Header | None = None,
    world: World | None = None,
) -> None:
    """Run case ``number`` of ``problem`` to its end, as `run_case`; ``header`` is that of its store, if it was read.

    The other ranks of ``world`` `ksdp_cli.api.ranks.follow`.
    """
    alone = replace(problem, cases=[problem.cases[number]])
    with CaseStore(path, number, header) as store:
        if number not in _last_states(path, store.header, [number]):
            integrate(alone, store, device, True, listener, world).save(last=True)


def sweep(problem: Problem, owner: Owner, device: str, executor: Workers, listener: Listener) -> None:
    """Run every case to its end by ``executor``, then write the attributes that one process would have written.

    The numbers are those of one process, bit for bit. Raises as `simulate`, and `ResourceError` if a worker was killed
    and its case does not run again; its saved state stays.
    """
    announce(problem, owner, device)
    cases = range(len(problem.cases))
    missing = sorted(set(cases) - _last_states(owner.path, owner.header, cases).keys())
    store = str(owner.path.absolute())
    # from this poll on a signal waits for `follow`, which knows what becomes of the calls
    if listener.stop and (number := listener.stop()) is not None:
        raise Interrupted(f"stopped by signal {number} before the first case; nothing is lost", number)
    work = [executor.submit(run_case, store, n, device, executor.threads) for n in missing]
    executor.begin(owner.path.with_name(owner.path.name + ".jobs"))
    again = f"repeat the command with --resume and -o {owner.path} to continue"
    _say(follow(executor, work, listener, again, before=len(cases) - len(missing), apart=True), listener)
    conclude(owner)


def go_on_one_by_one(problem: Problem, owner: Owner, device: str, listener: Listener, world: World) -> None:
    """Run each case to its end by ``world``, after one of them has blown up; then raise its `NumericalError`.

    A blow-up is seen by all ranks at the same step: the others then wait for the next case.
    """
    announce(problem, owner, device)
    cases, failures, warnings = range(len(problem.cases)), list[NumericalError](), list[list[str]]()
    for number in cases:
        warnings.append([])
        alone = replace(listener, progress=None, tell=None, warn=warnings[-1].append)
        try:
            bring_to_its_end(problem, owner.path, number, device, alone, owner.header, world)
        except NumericalError as error:
            failures.append(error)
        if listener.progress:
            listener.progress("cases", number + 1, len(cases), "")
    _say(warnings, listener)
    conclude(owner)
    if failures:
        raise first_of(failures, len(cases))


def announce(problem: Problem, owner: Owner, device: str) -> None:
    """Write device and engine into the store before the first case starts, so that every case uses the same."""
    if MADE_BY not in open_run(owner.path).attrs:
        engine = CaseRun(problem, problem.cases[0], device).kind
        owner.annotate(**{MADE_BY: {"device": device, "engine": engine}})


def conclude(owner: Owner) -> bool:
    """If every case has ended, write their facts and mark their frames; return whether they have."""
    cases = range(owner.header.case_count)
    if min(owner.progress()) < len(owner.times):
        return False
    last_states = _last_states(owner.path, owner.header, cases)
    if len(last_states) < len(cases):
        return False
    states = [last_states[number] for number in cases]
    first, facts = states[0], [state["facts"] for state in states]
    seconds, collapse_times = sum(state["seconds"] for state in states), [state["collapsed"] for state in states]
    places = [state.get("halved", {}) for state in states]
    about = {"run": first["run"], MADE_BY: first[MADE_BY], "seconds": seconds}
    about |= {"fastest": [state.get("fastest", 0.0) for state in states]}
    whole = all(state["whole"] for state in states)
    owner.annotate(
        seconds=seconds,
        steps=sum(one["steps"] for one in facts),
        hardware=first["facts"]["hardware"],
        engine=[report for one in facts for report in one["engine"]],
        largest_pull=max(one["largest_pull"] for one in facts),
        **collapsed_from(collapse_times),
        **followed_by([from_columns(state.get("followed")) for state in states]),
        **(
            end_state(about, len(owner.times), [state["engine"] for state in states], collapse_times, places)
            if whole
            else {}
        ),
    )
    owner.commit()
    return True


def commands_of(config: SimulateConfig, cases: int, out: str | Path, threads: int | None) -> list[str]:
    """Return a command for each case of a sweep; they may run in any order and in parallel."""
    whole = provenance.command("simulate", config) + (f" --threads {threads}" if threads else "")
    return [f"{whole} --case {number} -o {shlex.quote(str(out))}" for number in range(cases)]


def require_names(problem: Problem) -> None:
    """Raise `ConfigError` if another process cannot load the components of ``problem`` by name."""
    registered = {entry.long_name for entry in plugins.registry().entries}
    if own := [name for name in problem.contents if name not in registered]:
        raise ConfigError(
            f"{', '.join(own)} is known to this process alone",
            "register it (see the plugin guide), or leave --workers and --executor out",
        )


def _last_states(path: Path, header: Header, cases: Iterable[int]) -> dict[int, JsonDict]:
    """Return the headers of the last states of cases that have every frame."""
    files, frames, states = Checkpoints(path), len(header.times), dict[int, dict[str, Any]]()
    for number in cases:
        if frames_of(path, header, number) == frames:
            state, _ = checkpoint.newest(files.of(number), lambda h: None if h.get("k") == frames else "has not ended")
            if state and "facts" in state[0]:
                states[number] = state[0]
    return states


def _say(warnings: list[list[str]], listener: Listener) -> None:
    """Issue the warnings of the first case that has any, and the number of other cases with warnings."""
    per_case = [sentences for sentences in warnings if sentences]
    if per_case and listener.warn:
        for sentence in per_case[0]:
            listener.warn(sentence)
        if len(per_case) > 1:
            listener.warn(f"{len(per_case) - 1} other cases have warnings of this kind")
