"""``ksdp simulate``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from ..base.parsing import integer
from ..config import SimulateConfig
from . import _options as o
from . import _render
from ._boundary import say


def register(app: typer.Typer) -> None:
    app.command(context_settings=o.BY_NAME)(simulate)


def text(meaning: str, metavar: str = "NUMBER") -> Any:
    return typer.Option(help=meaning, metavar=metavar)


def simulate(
    context: typer.Context,
    flow: Annotated[str | None, text("Background flow; 'ksdp plugins' lists them. Default none.", "NAME")] = None,
    kernel: Annotated[str | None, text("Interaction kernel. Default blob.", "NAME")] = None,
    dim: Annotated[str | None, text("Dimension 2 or 3; default the lowest that the flow has.", "2|3")] = None,
    init: Annotated[
        str | None,
        text(
            "Initial cloud: a name, FILE.py:CLASS, a file of points (.npy, .csv), or a store to go on from, as "
            "s.zarr@A=10,t=0.02.",
            "NAME|PATH",
        ),
    ] = None,
    amplitude: Annotated[
        str | None,
        typer.Option("--A", metavar="SWEEP", help="Flow amplitude: 100, or 1,10,100, or 1:100:11log for 10^(0.2 i)."),
    ] = None,
    start: Annotated[
        str | None, typer.Option("--t0", metavar="NUMBER", help="Time of the initial cloud. Default 0, or the store's.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--T", metavar="NUMBER", help="Time to simulate, from t0 on. Default 0.1.")
    ] = None,
    dt: Annotated[str | None, text("Time step; a snapshot cuts the one it falls into. Default 1e-4.")] = None,
    particles: Annotated[
        str | None, typer.Option("--J", metavar="NUMBER", help="Number of particles, as 1e6 or 10_000. Default 10000.")
    ] = None,
    mass: Annotated[str | None, typer.Option("--M", metavar="SWEEP", help="Total mass, as 16pi. Default 16pi.")] = None,
    mu: Annotated[str | None, text("Diffusivity (mobility). Default 1.", "SWEEP")] = None,
    chi: Annotated[str | None, text("Chemo-sensitivity. Default 1.", "SWEEP")] = None,
    delta2: Annotated[str | None, text("Regularisation delta^2. Default 1e-3.", "SWEEP")] = None,
    snapshots: Annotated[str | None, text("Times to store, from t0 on, as 0:0.1:11. Default T alone.", "SWEEP")] = None,
    seed: o.SeedOption = None,
    device: o.DeviceOption = None,
    dtype: Annotated[str | None, text("Precision. Default float32.", "float32|float64")] = None,
    engine: Annotated[str | None, text("Pair sum. Default auto.", "auto|direct|tree|mesh")] = None,
    accuracy: Annotated[str | None, text("Relative drift error of tree and mesh. Default 1e-4.")] = None,
    scheme: Annotated[str | None, text("Time integration. Default euler.", "euler|heun")] = None,
    threads: Annotated[str | None, text("Threads at most. Default: all cores, or as OMP_NUM_THREADS says.")] = None,
    config: o.ConfigFile = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Start, go on with this very run, or extend it to a later T.")
    ] = False,
    as_json: o.Json = False,
) -> None:
    """Simulate Keller-Segel chemotaxis in a flow by interacting particles, equation (8).

    Parameters of the flow and of the kernel are options too: 'ksdp plugins show NAME' lists them. One or two physical
    parameters may be swept; the cases land in one store.
    """
    from .. import api

    options = {
        "flow": flow, "kernel": kernel, "dim": dim, "init": init, "A": amplitude, "t0": start, "T": end, "dt": dt,
        "J": particles, "M": mass, "mu": mu, "chi": chi, "delta2": delta2, "snapshots": snapshots, "seed": seed,
        "device": device, "dtype": dtype, "engine": engine, "accuracy": accuracy, "scheme": scheme,
    }  # fmt: skip
    outputs = {
        "out": out, "overwrite": overwrite, "resume": resume,
        "threads": integer(threads) if threads is not None else None,
    }  # fmt: skip
    known = [*SimulateConfig.model_fields, "out", "overwrite", "resume", "json", "config", "threads", "A"]
    options |= o.by_name(context.args, known)
    with o.graceful() as stop, _render.progress("simulate") as progress:
        run = api.simulate(
            progress=progress,
            stop=stop,
            warn=lambda message: say(f"ksdp: warning: {message}"),
            tell=lambda message: say(f"ksdp: {message}"),
            **o.merged(config, options | outputs, known),
        )
    render(run, as_json)


def render(run: Any, as_json: bool) -> None:
    """One row a case and snapshot: mean and second moment with standard errors."""
    from ..views import summary

    document = summary.of_run(run)
    names = list(run.cases[0])
    columns = [*names, "t", "mean", "E|x|^2", "s.e."]
    rows = [
        [*(row["parameters"][name] for name in names), row["t"], _vector(row["mean"]), row["second_moment"], row["se"]]
        for row in document["frames"]
    ]
    facts = f"{run.path}: J = {run.J}, d = {run.dim}, {document['seconds']:.3g} s ({document['engine']})"
    _render.emit(document, as_json, (facts, columns, rows))


def _vector(values: list[float]) -> str:
    return "(" + ", ".join(f"{value:+.3f}" for value in values) + ")"
