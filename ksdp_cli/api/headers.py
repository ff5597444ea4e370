"""Headers and attributes of stored simulations, and the checks whether a run may resume a stored one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import provenance
from ..base.files import JsonDict
from ..base.records import Maker, as_record
from ..chemistry.beginning import StoredField
from ..config import SimulateConfig
from ..errors import ConfigError, DataError
from ..initial.stored import StoredCloud
from ..particles.origin import moving_origin
from ..particles.problem import Problem
from ..store import Header, Run
from ..store.create import MARKS
from ..store.field_grid import FieldGrid

#: Version of the meaning of a checkpoint.
STATE = 1
#: Version of the meaning of a state of a chemistry or scheme that has changed it: in free space; with halved steps in a
#: flow. And the attributes with it.
MEANINGS = {"parabolic": 3, "heun": 2}
MEANING, HALVED_STEPS = "meaning", "halved_steps"
#: The attribute with the part of the state that the last frame does not hold, to extend a complete run.
END_STATE = "end_state"
#: Device and engine of a run, {device, engine}: an attribute of a store and a field of a checkpoint.
MADE_BY = "made_by"
#: The looks at the collapse of each case so far, which a later end goes on from.
FOLLOWED = "followed"


def header(problem: Problem, grid: FieldGrid | None = None) -> Header:
    """Return the header of the store for ``problem``, with c on ``grid``."""
    config = problem.config
    return Header(
        kind="simulation",
        times=config.times,
        particles=config.J,
        dim=config.dim,
        cases={name: tuple(case.values[name] for case in problem.cases) for name in config.swept()},
        case_count=len(problem.cases),
        units=problem.units,
        config=_resolved(config),
        origins=_origins(problem),
        attrs=marks(problem)
        | {
            "seed": config.seed if isinstance(config.seed, int) else list(config.seed),
            "versions": provenance.versions(config.flow, config.kernel, config.init),
            "command": provenance.command("simulate", config),
        },
        grid=grid,
    )


def _origins(problem: Problem) -> tuple[tuple[tuple[float, ...], ...], ...]:
    """Return O(t) [length] at the snapshots of each case; empty with a fixed origin."""
    paths = [moving_origin(problem, case) for case in problem.cases]
    return tuple(tuple(tuple(map(float, o.at(t))) for t in problem.config.times) for o in paths if o)


def header_on_resume(problem: Problem, run: Run, device: str, grid: FieldGrid | None) -> Header:
    """The header for `extend`, with the state in which ``run`` ended.

    ``run`` may be any run: the store refuses it when it is another one. It keeps its grid, whatever the end that is
    asked for makes of ``grid``. Raises `ConfigError` before a store is laid out anew whose frames are of another
    device, and where its frames and later ones would hold c of two meanings, or be made by steps of two.
    """
    if run.kind != "simulation":
        return header(problem, grid)
    if run.attrs.get("stopped"):
        problem = up_to(problem, float(run.attrs["stopped"]["t"]), snapshots_of(run.config))
    kept_grid = run.grid if grid and run.grid and run.grid.points == grid.points else grid
    result = header(extend(problem, snapshots_of(run.config)), kept_grid)
    if len(run.times) and result.times != run.header.times:
        require_same_kind(run.attrs, kind_of(run.attrs) | {"device": device}, str(run.path))
    attrs = {name: run.attrs[name] for name in (END_STATE, MADE_BY, FOLLOWED) if name in run.attrs}
    stored = {name: run.attrs[name] for name in (MEANING, HALVED_STEPS) if name in run.attrs}
    if (now := _meanings(run.config)) != stored:
        if not run.complete or result.times != run.header.times:
            what = "halved steps the flow did not cut"
            if now.get(MEANING) != stored.get(MEANING):
                what = f"{provenance.short(run.config['chemistry'])} chemistry had other boxes"
            raise ConfigError(
                f"{run.path} is of an earlier version, whose {what}",
                "end it with that version, or start again with --overwrite or another -o",
            )
        result = replace(result, attrs={name: v for name, v in result.attrs.items() if name not in now} | stored)
    return replace(result, attrs=result.attrs | attrs)


def with_times(problem: Problem, times: tuple[float, ...]) -> Problem:
    """Return ``problem`` with other snapshots."""
    return replace(problem, config=problem.config.model_copy(update={"snapshots": times, "T": times[-1]}))


def extend(problem: Problem, times: tuple[float, ...]) -> Problem:
    """Return ``problem`` with the snapshots ``times``, which count from t0, followed by its later ones.

    Return it unchanged if it cannot continue from them: it ends earlier, or has a snapshot that the stored run skipped.
    """
    snapshots, end = problem.config.snapshots, times[-1]
    later = tuple(t for t in snapshots if not any(_same(t, s) for s in times))
    if any(t < end for t in later) or not (later or _same(snapshots[-1], end)):
        return problem
    return with_times(problem, times + later)


def up_to(problem: Problem, end: float, times: tuple[float, ...]) -> Problem:
    """``problem`` with the snapshots ``times`` of a run that stopped at ``end``, where those that it asks for until
    then are among them."""
    snapshots = [t for t in problem.config.snapshots if problem.config.t0 + t < end]
    return with_times(problem, times) if all(any(_same(t, s) for s in times) for t in snapshots) else problem


def end_state(
    about: Mapping[str, object],
    k: int,
    engines: Sequence[JsonDict],
    collapsed: Sequence[float | None],
    halved: Sequence[JsonDict] = (),
) -> dict[str, str]:
    """The attribute with what the last of ``k`` frames lacks of the states, by case; ``about`` is what a state says
    of its run, ``halved`` where each case is with its steps, if those are halved."""
    since = {str(case): t for case, t in enumerate(collapsed) if t is not None}
    steps = {"halved": list(halved)} if any(halved) else {}
    return {END_STATE: json.dumps({**about, "k": k, "engines": list(engines), "collapsed": since, **steps})}


def collapsed_from(times: Sequence[float | None]) -> dict[str, object]:
    """The attribute with the time from which on the cloud is collapsed; of a sweep one for each case, None where it is
    not."""
    any_collapse = any(time is not None for time in times)
    return {"collapsed_from": times[0] if len(times) == 1 else list(times)} if any_collapse else {}


def snapshots_of(config: JsonDict) -> tuple[float, ...]:
    """Return the snapshots of a stored configuration, which count from its t0."""
    return tuple(float(since) for since in config["snapshots"])


def marks(problem: Problem) -> dict[str, object]:
    """Return what determines the numbers of a run besides its options: digests of its initial store, the contents of
    the caller's own classes and instances, and the versions of its chemistry's states and of its halved steps.
    """
    initial = problem.initial
    result: dict[str, Any] = {"contents": problem.contents} if problem.contents else {}
    result |= _meanings(_resolved(problem.config))
    if isinstance(initial, StoredCloud):
        result["origin"] = {"sha256": initial.digest, "t": initial.t, "generation": initial.generation}
    if isinstance(problem.c0, StoredField):
        result["chemical"] = {"sha256": problem.c0.digest}
    return result


def _meanings(config: JsonDict) -> dict[str, int]:
    """The entries of `MEANINGS` for a stored configuration, by their attributes."""
    chemistry, scheme, flow = (
        provenance.short(config.get(name, usual))
        for name, usual in (("chemistry", "elliptic"), ("scheme", "euler"), ("flow", "none"))
    )
    counts = {
        MEANING: (chemistry, 0 in (config.get("chemistry_params") or {}).get("box", [0])),
        HALVED_STEPS: (scheme, bool(config.get("halvings")) and flow != "none"),
    }
    return {name: MEANINGS[of] for name, (of, changed) in counts.items() if changed and of in MEANINGS}


def run_id(config: SimulateConfig, digests: Mapping[str, object]) -> str:
    """Return a digest that identifies the run of a checkpoint: the configuration without times, which may change, and
    device, which `require_same_kind` checks; and the `marks`."""
    return _digest(config, digests, without=("T", "snapshots", "device"))


def belongs(about: Mapping[str, object], config: SimulateConfig, digests: Mapping[str, object]) -> bool:
    """Whether the header ``about`` of a state belongs to the run ``config`` with these `marks`.

    Headers older than `MADE_BY` held the device and no marks; they never match a run with marks.
    """
    if MADE_BY in about:
        return bool(about.get("run") == run_id(config, digests))
    if any(name in digests for name in MARKS):
        return False
    devices = ("auto", "cpu", "cuda")
    old = (_digest(config.model_copy(update={"device": d}), {}, without=("T", "snapshots")) for d in devices)
    return about.get("run") in list(old)


def require_same_kind(about: Mapping[str, object], now: dict[str, str], what: str) -> None:
    """Raise `ConfigError` if ``what``, described by ``about``, was made by another engine or on another device.

    These add in another order and have other tree settings, so the bits would change within the run. ``about`` is the
    header of a state or the attributes of a store.
    """
    before = kind_of(about)
    if before == now or (before["device"] == now["device"] and not before["engine"]):
        return
    old_kind, new_kind = (f"{kind['engine']} engine on {kind['device']}" for kind in (before, now))
    other = before["device"] != now["device"]
    advice = f"resume with --device {before['device']}" if other else "resume with the version that started it"
    raise ConfigError(
        f"{what} was made by the {old_kind}, and this would be the {new_kind}: a run keeps to one, to the bit",
        f"{advice}, or start again with --overwrite or another -o",
    )


def kind_of(about: Mapping[str, Any]) -> dict[str, str]:
    """Device and engine of a state or a store. Before `MADE_BY` was kept all was made on a CPU, and only a tree has
    something to remember; an engine that is not told is empty. Raises `DataError` where it is told in another form."""
    try:
        if MADE_BY in about:
            return as_record(Maker, about[MADE_BY]).model_dump()
        engine = str(about["engine"][0]["engine"]) if about.get("engine") else ""
    except (ValueError, TypeError, KeyError, IndexError) as error:
        raise DataError(f"the device and engine of a stored run are unreadable: {error}", "it is damaged") from None
    if "engines" in about:
        engine = "tree" if any(about["engines"]) else "direct"
    return {"device": "cpu", "engine": engine}


def _digest(config: SimulateConfig, digests: Mapping[str, object], without: tuple[str, ...]) -> str:
    fields = {name: value for name, value in _resolved(config).items() if name not in without}
    return provenance.digest(fields | {"state": STATE} | {name: digests[name] for name in MARKS if name in digests})


def _resolved(config: SimulateConfig) -> dict[str, object]:
    """The configuration as a store holds it; a run from t = 0, from a law with its defaults, without c on a grid,
    about a fixed origin and with independent particles says what it said before there were these."""
    unsaid = {name for name in ("t0", "init_params", "store_field", "field_side", "zip") if not getattr(config, name)}
    unsaid |= {"store_gradient"} if config.store_gradient == "no" else set()
    unsaid |= {"origin"} if config.origin == "fixed" else set()
    unsaid |= {"merge"} if config.merge == "none" else set()
    unsaid |= {"sampling"} if config.sampling == "random" else set()
    unsaid |= set() if config.halvings else {"halvings", "dt_fraction"}
    if provenance.short(config.chemistry) == "elliptic":  # as before there were others
        unsaid |= {"chemistry", "chemistry_params", "c0"}
    return {name: value for name, value in config.model_dump(mode="json").items() if name not in unsaid}


def _same(a: float, b: float) -> bool:
    return abs(a - b) <= 1e-9 * max(a, b)
