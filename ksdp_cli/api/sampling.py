"""sample: new particles from a trained network, streamed to a store."""

from __future__ import annotations

import shlex
import time
from pathlib import Path

from .. import pretrained as models
from .. import provenance
from ..base import device as devices
from ..base.listener import Progress, Say, as_warning
from ..config import SampleConfig, build
from ..learning.model import Model
from ..store import Header, Owner, Run, create, open_run, require_room
from ..store.selection import end_of
from . import paths
from .generator import Generator
from .options import Number


def sample(
    model: str | Path | Model | None = None,
    *,
    n: Number | None = None,
    seed: Number | None = None,
    device: str | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Say | None = None,
    **eta: Number,
) -> Run:
    """Push ``n`` fresh particles of the initial cloud through a network and return the stored run.

    ``model`` is a path, the name of a model that ships, or a loaded model; by default the newest in ``./runs``, and
    where there is none the one that ships as default, which ``warn`` is told. ``eta`` are the network's physical
    parameters by name (``A=130``, ``t=0.05``); one that is not given takes the largest trained value. Particles are
    streamed, so ``n`` is bounded by the disk. Particle i of a seed is the same whatever ``n`` is. Outside the trained
    range ``warn`` is told and the store records it, and where the initial cloud is one of fewer points than ``n``.

    Raises `ConfigError` for a parameter that the network does not have, `DataError` for a damaged model or an output
    that exists.
    """
    warn = warn or as_warning
    label, network = _load(model, warn)
    values = network.complete(eta)
    config = build(SampleConfig, {"n": n, "seed": seed, "device": device, "eta": values})
    generator = Generator(network, config.device)
    outside = generator.outside(values)
    if outside:
        warn("; ".join(outside) + "; the network extrapolates")
    for sentence in generator.warnings(config.n):
        warn(sentence)

    def begin(place: Path) -> Owner:
        require_room(place, 4 * config.n * network.dim, f"{config.n} particles", overwrite)
        return create(place, _header(config, network, label, outside), overwrite=overwrite)

    path, owner = paths.begun(out, _stem(label, values), ".zarr", begin)
    began, spent = time.monotonic(), 0.0
    with owner, owner.case(0) as case:
        for start in range(0, config.n, owner.shard):
            count = min(owner.shard, config.n - start)
            x = generator.inputs(count, config.seed, start=start)
            before = time.monotonic()
            y = generator.push(x, values)
            spent += time.monotonic() - before
            case.write_block(0, start, y)
            if progress:
                progress("particles", start + count, config.n)
        case.commit(0)
        seconds = time.monotonic() - began
        owner.annotate(seconds=seconds, network_seconds=spent, hardware=devices.describe(generator.device))
        owner.finish()
    return open_run(path)


def _load(model: str | Path | Model | None, warn: Say) -> tuple[str, Model]:
    """The model with the name that a command finds it by."""
    if isinstance(model, Model):
        return "model", model
    given = model if model is not None else paths.newest_model()
    if given is None:
        given = models.DEFAULT
        warn(f"there is no model in ./{paths.RUNS}; using {given}, which ships with ksdp")
    return str(given), Model.load(paths.found(given))


def _stem(label: str, values: dict[str, float]) -> str:
    at = "".join(f"-{name}{value:g}" for name, value in values.items())
    return paths.slug(f"samples-{Path(label).stem}{at}")


def _header(config: SampleConfig, network: Model, label: str, outside: list[str]) -> Header:
    simulation = network.provenance["simulation"]
    at = dict(config.eta)
    time_value = at.pop("t", end_of(simulation))
    eta = [word for name, value in config.eta.items() for word in (f"--{name}", repr(value))]
    words = ["ksdp", "sample", label, *eta, "--n", str(config.n), "--seed", str(config.seed)]
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
