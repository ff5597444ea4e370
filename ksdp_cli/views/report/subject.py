"""A model as its page needs it, and the reference simulations beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...api.clouds import part_of, place_and_frame
from ...api.generator import Generator
from ...base.files import JsonDict
from ...base.listener import Say
from ...base.shapes import Cloud
from ...errors import ConfigError, DataError, KsdpError
from ...learning.model import Model
from ...provenance import physics
from ...store import Run, open_run
from ...store.selection import component_parameters, end_of
from . import clouds as parts

#: The seed of the page's inputs, which is that of `ksdp sample`.
SEED = 0
#: Entries of the configuration in which a reference should equal the simulation that was learned.
SHARED = ("flow", "kernel", "chemistry", "c0", "init", "t0", "mu", "chi", "M", "delta2", "init_params")


class ReportModel:
    """A model with its initial cloud, and the parameters ``start`` that the page shows first."""

    def __init__(self, name: str, path: Path, model: Model) -> None:
        self.name, self.path, self.model, self.eta = name, path, model, model.eta_map
        try:
            self.simulation: dict[str, Any] = model.provenance["simulation"]
            self.end = end_of(self.simulation)
            self.generator = Generator(model)
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path} has no configuration of its simulation: {error}", "train it again") from None
        self.start = dict(zip(self.eta.names, self.eta.high, strict=True))

    def at(self, at: dict[str, float], n: int, seed: int = SEED) -> Cloud:
        """Generate the first ``n`` particles, (n, d); fewer if the initial cloud has fewer."""
        return self.generator.cloud(min(n, getattr(self.generator.initial, "count", n)), at, seed)


def training_data(model: ReportModel, warn: Say) -> list[Run]:
    """Return the store, or the part of it, that the network was trained on; ``warn`` if it exists and is not usable."""
    name, at = place_and_frame(str(model.model.provenance.get("data", "")))
    path, problems = Path(name), list[str]()
    for place in (path, model.path.parent / path, model.path.parent / path.name):
        if not place.is_dir():
            continue
        data = f"{place}{at}"
        try:
            run = part_of(data) or open_run(place)
        except KsdpError as error:
            problems.append(str(error))
            continue
        if not run.ended:
            problems.append(f"{data} is not complete")
        elif physics(run.config) != physics(model.simulation):
            problems.append(f"{data} has another configuration now")
        else:
            return [run]
    for problem in problems[:1]:
        warn(f"the training data is left out: {problem}; give --reference STORE, or a part of one as STORE@A=1,10")
    return []


def places(model: ReportModel, run: Run) -> list[parts.Place]:
    """Return the frames of a reference at the network's parameters, without those at other times than the network's."""
    if run.dim != model.model.dim:
        raise ConfigError(f"{run.path} has dimension {run.dim} and the model {model.model.dim}", "give another store")
    names, places = model.eta.names, []
    for case, values in enumerate(run.cases):
        own = _constants(run) | values
        for name in names:
            if name != "t" and name not in own:
                raise ConfigError(f"{run.path} has no parameter {name!r} of the network", "give another store")
        for k, t in enumerate(run.times):
            if "t" in names or np.isclose(t, model.end, rtol=1e-9):
                places.append((run, case, k, {name: float(t) if name == "t" else own[name] for name in names}))
    if not places:
        raise ConfigError(f"{run.path} has no snapshot t = {model.simulation['T']:g}", "the network is of that time")
    return places


def _constants(run: Run) -> dict[str, float]:
    """Return the parameters that are constant in a simulation."""
    everything = {**run.config, **component_parameters(run.config)}
    return {name: float(v[0]) for name, v in everything.items() if isinstance(v, list) and len(v) == 1 and name != "t"}


def differences(model: ReportModel, run: Run) -> list[str]:
    """Return a sentence if a reference is another problem than the one that was learned."""

    def flat(config: JsonDict) -> dict[str, object]:
        entries = {name: config.get(name) for name in SHARED}
        entries |= component_parameters(config) | (entries.pop("init_params") or {})
        return {name: value for name, value in entries.items() if name not in model.eta.names}

    ours, theirs = flat(model.simulation), flat(run.config)
    differ = [
        f"{name} = {parts.flat_text(theirs.get(name))} in place of {parts.flat_text(ours.get(name))}"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]
    return [f"{run.path} is another problem than the one that was learned: {'; '.join(differ)}."] if differ else []
