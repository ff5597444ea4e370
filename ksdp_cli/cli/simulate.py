"""``ksdp simulate``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..base import launcher
from ..base.files import JsonDict
from ..base.signals import graceful
from ..config import SimulateConfig
from ..errors import ConfigError
from . import _options as o
from . import _ranks, _render
from ._boundary import say, suggest, warn
from ._components import presets as preset_names
from ._fields import GroupedCommand, options_of

if TYPE_CHECKING:
    from ..store import Run

GROUPS = {
    "Problem, equation (8)": ("flow", "kernel", "dim", "init", "mu", "chi", "M", "delta2", "chemistry", "c0"),
    "Particles and time": ("J", "t0", "T", "dt", "halvings", "dt_fraction", "snapshots", "scheme", "merge"),
    "Randomness": ("seed", "sampling"),
    "Chemical in the store": ("store_field", "store_gradient", "field_side"),
    "Cases of a sweep": ("zip",),
    "Pair sum": ("engine", "accuracy", "dtype", "origin", "device"),
}
#: Options that are not part of the problem.
OWN = (
    *("out", "overwrite", "resume", "json", "config", "preset"),
    *("threads", "workers", "executor", "case", "print_commands", "plan", "world"),
)
#: Those of them that the commands of --print-commands would not have.
NOT_IN_COMMANDS = ("case", "overwrite", "workers", "executor", "world")
SUMMARY = "Particles of equation (8), one case or a sweep."
EXAMPLE = "Example: ksdp simulate --flow laminar2d --A 1:100:11log --T 0.02 -o a.zarr"


def register(app: typer.Typer) -> None:
    app.command(cls=GroupedCommand, context_settings=o.BY_NAME, epilog=EXAMPLE, short_help=SUMMARY)(simulate)


@options_of(SimulateConfig, GROUPS, skip=("flow_params", "kernel_params", "chemistry_params", "init_params"))
def simulate(
    context: typer.Context,
    amplitude: Annotated[
        str | None,
        typer.Option(
            "--A",
            metavar="SWEEP",
            help="Flow amplitude: 100, or 1,10,100, or 1:100:11log for 10^(0.2 i).",
            rich_help_panel="Problem, equation (8)",
        ),
    ] = None,
    threads: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="Largest number of threads. Default all cores, or OMP_NUM_THREADS.",
            rich_help_panel="Pair sum",
        ),
    ] = None,
    workers: Annotated[
        str | None, o.workers("Processes that run the cases of a sweep in parallel. Default 1.", "Cases of a sweep")
    ] = None,
    executor: Annotated[str | None, o.executor("Cases of a sweep")] = None,
    case: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBER",
            help="Run only this case of the sweep, into the store of -o.",
            rich_help_panel="Cases of a sweep",
        ),
    ] = None,
    print_commands: Annotated[
        bool,
        typer.Option(
            "--print-commands",
            help="Print a command for each case, for a scheduler; run nothing.",
            rich_help_panel="Cases of a sweep",
        ),
    ] = False,
    plan: Annotated[
        bool,
        typer.Option(
            "--plan", help="Print thresholds, the largest resolved step, engine, time, memory and disk; run nothing."
        ),
    ] = False,
    world: Annotated[
        str | None,
        typer.Option(
            metavar="torch|mpi",
            help="Launcher of the processes that share one cloud. Default torch if torchrun started this process.",
            rich_help_panel="Pair sum",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Problem of the literature, which other options change; 'ksdp presets' lists them.",
            autocompletion=preset_names,
        ),
    ] = None,
    config: o.ConfigFile = None,
    out: o.Out = None,
    overwrite: o.Overwrite = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Start this run, continue it, or extend it to a later T.")
    ] = False,
    as_json: o.Json = False,
    **options: str | None,
) -> None:
    """Simulate Keller-Segel chemotaxis in a flow by interacting particles, equation (8).

    Parameters of the flow, the kernel and the initial cloud are options too: 'ksdp plugins show NAME' lists them.
    Any number of physical parameters, and the seed, may be swept; all cases go to one store.
    """
    from .. import presets

    outputs: dict[str, Any] = {
        "out": out,
        "overwrite": overwrite,
        "resume": resume,
        "executor": executor,
        "world": world,
    }
    outputs |= o.counts(threads=threads, workers=workers, case=case)
    names = [*SimulateConfig.model_fields, *OWN, "A"]
    physics: dict[str, Any] = options | {"A": amplitude} | o.by_name(context.args, names)
    settings = presets.with_changes(preset, o.merge(config, physics | outputs, names))
    if print_commands:
        print_each_command(settings, plan=plan, json=as_json)
    elif plan:
        from ..api.planning import plan as planned
        from . import _plan

        here = {name: settings[name] for name in ("out", "threads") if name in settings}
        arguments: dict[str, Any] = here | problem_of(settings)
        _plan.render(planned(**arguments), as_json)
    else:
        run_and_print(
            settings, as_json, "for one cloud on all of them add --world mpi, for a run of each --world alone"
        )


def problem_of(settings: dict[str, object]) -> dict[str, object]:
    """Return the options of the problem, without those about output and execution."""
    return {name: value for name, value in settings.items() if name not in OWN}


def print_each_command(settings: dict[str, object], **flags: bool) -> None:
    """Print the command for each case.

    Raises `ConfigError` for an option, in a file too, and for one of ``flags`` that the commands would not have.
    """
    from ..api.simulating import commands

    all_options = {name: settings.get(name) for name in NOT_IN_COMMANDS} | flags
    if given := [f"--{name}" for name, value in all_options.items() if value not in (None, False)]:
        raise ConfigError(f"--print-commands and {given[0]} exclude each other", "drop one of them")
    own: dict[str, Any] = {name: settings.get(name) for name in ("out", "threads")}
    options: dict[str, Any] = problem_of(settings)
    for line in commands(**own, **options):
        typer.echo(line)


def run_and_print(settings: dict[str, object], as_json: bool, instead: str) -> None:
    """Simulate, on the ranks that torchrun may have started, and print the result.

    ``instead`` is the advice to who has started several processes that each do the same.
    """
    from .. import api

    options: dict[str, Any] = dict(settings)
    if options.get("world") is None and options.get("case") is None and not launcher.by_torchrun():
        _ranks.doubt_many("this run", instead)
    with graceful() as stop, _ranks.join_world(options.pop("world", None)) as ranks:
        if ranks.rank:
            _ranks.follow(ranks, stop, options)
            return
        with _render.progress("simulate") as progress:
            run = api.simulate(
                world=ranks,
                progress=progress,
                stop=stop,
                warn=warn,
                tell=say,
                **options,
            )
    render(run, as_json)
    if not as_json:
        _name_next_step(run, options)


def _name_next_step(run: Run, settings: dict[str, object]) -> None:
    """Name the defaults that were chosen, and the next command. The engine is known once every case is done."""
    reports, defaults = run.attrs.get("engine"), {"dim": f"{run.dim}D", "seed": "seed 0"}
    if reports:
        defaults["engine"] = f"{reports[0]['engine']} engine"
    silent_defaults = [text for name, text in defaults.items() if name not in settings]
    if silent_defaults:
        say(f"chosen: {', '.join(silent_defaults)}")
    left = [case for case, frames in enumerate(run.progress()) if frames < len(run.header.times)]
    if not run.complete and left:
        say(f"{len(left)} of {len(run.cases)} cases are left, as --case {left[0]}; the last completes {run.path}")
        return
    suggest("train" if len(run.cases) > 1 else "plot", run.path)


def render(run: Run, as_json: bool) -> None:
    """Print a row for each case and snapshot: mean and second moment with standard errors; means over seeds."""
    from ..views import summary

    document = summary.of_run(run)
    names = list(run.cases[0])
    columns = [*names, "t", "mean", "E|x|^2", "s.e."]
    rows = [
        [*(row["parameters"][name] for name in names), row["t"], _vector(row["mean"]), row["second_moment"], row["se"]]
        for row in document["frames"]
    ]
    how = f"{document['seconds']:.3g} s ({document['engine']})"
    if not run.complete:
        how = f"{document['cases']['done']} of {document['cases']['all']} cases are done"
    facts = f"{run.path}: J = {run.J}, d = {run.dim}, {how}"
    if "ensemble" in document:
        columns, rows = _of_ensemble(document["ensemble"])
    _render.emit(document, as_json, (facts, columns, rows))


def _of_ensemble(ensemble: list[JsonDict]) -> tuple[list[str], list[list[object]]]:
    """Return columns and rows of the means over seeds, with Student's interval."""
    names = list(ensemble[0]["parameters"]) if ensemble else []
    rows = []
    for row in ensemble:
        moment = row["second_moment"]
        band = "" if moment["low"] is None else f"[{moment['low']:.4g}, {moment['high']:.4g}]"
        at = [row["parameters"][name] for name in names]
        rows.append([*at, row["t"], row["seeds"], _vector(row["mean"]), moment["mean"], moment["se"], band])
    return [*names, "t", "seeds", "mean", "E|x|^2", "s.e.", "95 % over seeds"], rows


def _vector(values: list[float]) -> str:
    return "(" + ", ".join(f"{value:+.3f}" for value in values) + ")"
