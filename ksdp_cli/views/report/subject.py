"""A model as its page needs it, and the simulations that stand beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...api.generator import Generator
from ...base.files import JsonDict
from ...base.shapes import Cloud
from ...errors import ConfigError, DataError, KsdpError
from ...learning.model import Model
from ...provenance import physics
from ...store import Run, open_run
from ...store.selection import end_of
from . import clouds as parts

#: The seed of the page's inputs, which is that of `ksdp sample`.
SEED = 0
#: What a reference must have in common with the simulation that was learned, beside the parameters of the network.
SHARED = ("flow", "kernel", "init", "t0", "mu", "chi", "M", "delta2", "flow_params", "kernel_params", "init_params")


class ReportModel:
    """A model with the initial cloud that it pushes forward, and the parameters ``start`` shown at first."""

    def __init__(self, name: str, path: Path, model: Model) -> None:
        self.name, self.path, self.model, self.eta = name, path, model, model.eta_map
        try:
            self.simulation: dict[str, Any] = model.provenance["simulation"]
            self.end = end_of(self.simulation)
            self.generator = Generator(model)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} does not say what was simulated: {error}", "train it again") from None
        self.start = dict(zip(self.eta.names, self.eta.high, strict=True))

    def at(self, at: dict[str, float], n: int, seed: int = SEED) -> Cloud:
        """Positions of the first ``n`` particles; of all there are when the initial cloud is a smaller stored one."""
        return self.generator.cloud(min(n, getattr(self.generator.initial, "count", n)), at, seed)


def training_data(learned: ReportModel) -> list[Run]:
    """The store that the network was trained on, when it still is what it was."""
    named = Path(str(learned.model.provenance.get("data", "")))
    for candidate in (named, learned.path.parent / named, learned.path.parent / named.name):
        if candidate.is_dir():
            try:
                run = open_run(candidate)
            except KsdpError:
                continue
            if run.complete and physics(run.config) == physics(learned.simulation):
                return [run]
    return []


def places(learned: ReportModel, run: Run) -> list[parts.Place]:
    """The frames of a reference with the network's parameters; those at other times than the network's are left out."""
    if run.dim != learned.model.dim:
        raise ConfigError(f"{run.path} has dimension {run.dim} and the model {learned.model.dim}", "give another store")
    names, places = learned.eta.names, []
    for case, values in enumerate(run.cases):
        known = _fixed(run) | values
        for name in names:
            if name != "t" and name not in known:
                raise ConfigError(f"{run.path} has no parameter {name!r} of the network", "give another store")
        for k, t in enumerate(run.times):
            if "t" in names or np.isclose(t, learned.end, rtol=1e-9):
                places.append((run, case, k, {name: float(t) if name == "t" else known[name] for name in names}))
    if not places:
        raise ConfigError(f"{run.path} has no snapshot t = {learned.simulation['T']:g}", "the network is of that time")
    return places


def _fixed(run: Run) -> dict[str, float]:
    """The parameters that have one value throughout a simulation."""
    config = run.config
    everything = {**config, **config.get("flow_params", {}), **config.get("kernel_params", {})}
    return {name: float(v[0]) for name, v in everything.items() if isinstance(v, list) and len(v) == 1 and name != "t"}


def differences(learned: ReportModel, run: Run) -> list[str]:
    """A sentence when a reference is another problem than the one that was learned."""

    def flat(config: JsonDict) -> JsonDict:
        shared = {name: config.get(name) for name in SHARED}
        shared |= shared.pop("flow_params") or {}
        shared |= shared.pop("kernel_params") or {}
        shared |= shared.pop("init_params") or {}
        return {name: value for name, value in shared.items() if name not in learned.eta.names}

    ours, theirs = flat(learned.simulation), flat(run.config)
    differ = [
        f"{name} = {parts.flat_text(theirs.get(name))} in place of {parts.flat_text(ours.get(name))}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]
    return [f"{run.path} is another problem than the one that was learned: {'; '.join(differ)}."] if differ else []
