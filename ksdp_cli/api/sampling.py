"""sample: new particles from a trained network, streamed to a store."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .. import pretrained as models
from .. import provenance
from ..base import compiling, files
from ..base import device as devices
from ..base.bars import progress_bar
from ..base.labels import counted
from ..base.listener import Listener, Progress, Say, Stop, as_warning
from ..base.parsing import number
from ..base.spelling import nearest
from ..config import SampleConfig, build
from ..errors import ConfigError, Taken
from ..learning.model import Model
from ..store import Header, Owner, Run, create, open_run, require_room
from ..store.selection import end_of
from . import paths
from .generator import Generator
from .options import Number

if TYPE_CHECKING:
    from .beyond import Beyond, Continuation


def sample(
    model: str | os.PathLike[str] | Model | None = None,
    *,
    n: Number | None = None,
    seed: Number | None = None,
    beyond: Literal["network", "simulate"] | None = None,
    device: str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | bool | None = None,
    stop: Stop | None = None,
    warn: Say | None = None,
    tell: Say | None = None,
    **eta: Number,
) -> Run:
    """Generate ``n`` particles with a network and return the stored run.

    ``model`` is a path, the name of a model that ships, or a loaded model; default the newest in ``./runs``, else the
    default model that ships, with a warning. ``eta`` are the physical parameters by name (``A=130``, ``t=0.05``); one
    that is not given takes its largest trained value. Particles are streamed, so only the disk limits ``n``. Particle i
    of a seed does not depend on ``n``. Warns outside the trained range, which the store records, and if the initial
    cloud has fewer than ``n`` points.

    With ``beyond="simulate"`` a ``t`` after the last trained time is reached by equation (8), from the network's
    particles at that time, with the options of the simulation that it learned. It moves as many particles as that
    simulation had, or ``n`` if larger, and keeps the first ``n``. A network without the parameter t starts from the
    time of its clouds. ``tell`` receives a sentence, and the attribute ``beyond`` records it with the seconds.
    ``stop()`` is polled between the steps.

    Raises `ConfigError` for an unknown parameter, `DataError` for a damaged model, an output that exists, and a model
    of clouds without a simulation; the steps raise `NumericalError` and `Interrupted`.
    """
    warn = warn or as_warning
    label, network = _load(model, warn)
    parameters: dict[str, Number] = dict(eta)
    own: dict[str, float] = {}
    if beyond == "simulate" and "t" not in network.eta_map.names and "t" in parameters:
        own = {"t": number(parameters.pop("t"))}
    for name in parameters.keys() - {*network.eta_map.names}:
        if near := nearest(name, set(SampleConfig.model_fields) - {"eta"}):
            raise ConfigError(f"this network has no parameter {name!r}", f"did you mean --{near}?")
    values = network.complete(parameters)
    options = {"n": n, "seed": seed, "beyond": beyond, "device": device, "eta": values | own}
    config = build(SampleConfig, options)
    generator = Generator(network, config.device)
    further = _further(generator, config, tell) if config.beyond == "simulate" else None
    outside = generator.outside(further.at if further else values)
    if outside:
        warn("; ".join(outside) + "; the network extrapolates")
    for sentence in generator.warnings(further.J if further else config.n):
        warn(sentence)

    def begin(place: Path) -> Owner:
        require_room(place, 4 * config.n * network.dim, counted(config.n, "particle"), overwrite)
        return create(place, _header(config, network, label, outside), overwrite=overwrite)

    began = compiling.clock()
    with progress_bar(progress) as bar:
        continuation = _continue(further, out, overwrite, Listener(bar, stop, warn)) if further else None
    path, owner = paths.begin_output(out, _stem(label, config.eta), ".zarr", begin)
    network_seconds = 0.0
    with owner, owner.case(0) as case, progress_bar(progress) as bar:
        for start in range(0, config.n, owner.shard):
            count = min(owner.shard, config.n - start)
            if continuation:
                case.write_block(0, start, continuation.cloud[start : start + count])
                continue
            x = generator.inputs(count, config.seed, start=start)
            before = compiling.clock()
            y = generator.push(x, values)
            network_seconds += compiling.clock() - before
            case.write_block(0, start, y)
            if bar:
                bar("particles", start + count, config.n)
        case.commit(0)
        facts = {"beyond": continuation.facts} if continuation else {}
        network_seconds = continuation.network_seconds if continuation else network_seconds
        seconds, hardware = compiling.clock() - began, devices.describe(generator.device)
        owner.annotate(seconds=seconds, network_seconds=network_seconds, hardware=hardware, **facts)
        owner.finish()
    return open_run(path)


def _further(generator: Generator, config: SampleConfig, tell: Say | None) -> Beyond | None:
    """Return the run from the last trained time to the t of ``config``; None if t is not later.

    Raises `ConfigError` if the network has one time only and t is earlier.
    """
    from .beyond import Beyond, last_time

    last = last_time(generator.model)
    t = config.eta.get("t", last)
    if t < last and "t" not in generator.names:
        raise ConfigError(f"t = {t:g} is before t = {last:g}, the only time of this network's clouds", "raise --t")
    if t <= last * (1 + 1e-9):
        if tell:
            tell(f"t = {t:g} is not after the last trained time, {last:g}: the network alone gives it")
        return None
    further = Beyond(generator, config.eta, t, config.n, config.seed)
    if tell:
        tell(f"{further.J} particles of the network at t = {last:g}, then equation (8) to t = {t:g}")
    return further


def _continue(further: Beyond, out: str | Path | None, overwrite: bool, listener: Listener) -> Continuation:
    """Move the particles before the store is created, so that a signal leaves an existing output. Raises `Taken`."""
    if out is not None and not overwrite and os.path.lexists(files.target(out)):
        raise Taken(f"{out} exists", "use --overwrite, or another -o")
    return further.move(listener)


def _load(model: str | os.PathLike[str] | Model | None, warn: Say) -> tuple[str, Model]:
    """Return the model and its name for commands."""
    if isinstance(model, Model):
        return "model", model
    source = model if model is not None else paths.newest_model()
    if source is None:
        source = models.DEFAULT
        warn(f"no model in ./{paths.RUNS}: using {source}, which ships with ksdp")
    return os.fspath(source), Model.load(paths.existing(source))


def _stem(label: str, values: dict[str, float]) -> str:
    at = "".join(f"-{name}{value:g}" for name, value in values.items())
    return paths.slug(f"samples-{Path(label).stem}{at}")


def _header(config: SampleConfig, network: Model, label: str, outside: list[str]) -> Header:
    simulation = network.provenance["simulation"]
    at = dict(config.eta)
    time_value = at.pop("t", end_of(simulation))
    eta = [word for name, value in config.eta.items() for word in (f"--{name}", repr(value))]
    words = ["ksdp", "sample", label, *eta, "--n", str(config.n), "--seed", str(config.seed)]
    words += ["--beyond", config.beyond] if config.beyond != "network" else []
    return Header(
        kind="samples",
        times=(float(time_value),),
        particles=config.n,
        dim=network.dim,
        cases={name: (value,) for name, value in at.items()},
        case_count=1,
        units=dict(network.provenance.get("units", {})),
        config=config.model_dump(mode="json"),
        attrs={
            "seed": config.seed,
            "model": Path(label).name,
            "model_sha256": network.sha256,
            "simulation": simulation,
            "outside_trained_range": outside,
            "versions": provenance.versions(),
            "command": shlex.join(words),
        },
    )
