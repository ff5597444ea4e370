"""The command line: subcommands are one file each; this one only assembles them."""

from __future__ import annotations

import io
import sys
from typing import Annotated

import typer

from .. import plugins
from ..base import compiling
from . import (
    cite,
    compare,
    demo,
    export,
    import_,
    info,
    laws,
    listing,
    plot,
    presets,
    report,
    reproduce,
    sample,
    simulate,
    sweep,
    train,
    warm_up,
)
from ._boundary import Boundary, guarded, is_usage, listen, say, usage_line

app = typer.Typer(
    cls=Boundary,
    name="ksdp",
    help="Keller-Segel chemotaxis by interacting particles, and DeepParticle networks that learn its patterns.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"]},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"ksdp {plugins.own_version()}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Version.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Results, warnings and errors alone; after any command.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also what is compiled and found; as --quiet.")
    ] = False,
) -> None:
    """Simulate, train, sample, compare."""


VERBS = (
    simulate,
    sweep,
    import_,
    train,
    sample,
    compare,
    reproduce,
    report,
    info,
    plot,
    export,
    laws,
    presets,
    demo,
    warm_up,
    cite,
)
for module in VERBS:
    module.register(app)
#: Each command's line of 'ksdp --help', and the example at the end of its own help: whole at 80 columns.
TOLD = {
    "simulate": (
        "Particles of equation (8), one case or a sweep.",
        "ksdp simulate --flow laminar2d --A 1:100:11log --T 0.02 -o a.zarr",
    ),
    "sweep": (
        "Run what is missing of a sweep that a file describes.",
        "ksdp sweep examples/sweep.toml --workers 2",
    ),
    "import": (
        "Make a store of your own clouds, one a file.",
        "ksdp import 1.npy 2.npy --A 1,10 --source initial.npy -o own.zarr",
    ),
    "train": (
        "Train a network on the clouds of a store.",
        "ksdp train a.zarr --steps 3000 -o a.safetensors",
    ),
    "sample": (
        "Draw particles from a trained network.",
        "ksdp sample laminar2d-amplitude --A 50 --n 1e6 -o fifty.zarr",
    ),
    "compare": (
        "Distances of two clouds, with their noise floor.",
        "ksdp compare laminar2d-amplitude --A 50 --metrics w2,binned",
    ),
    "reproduce": (
        "The paper's Table 2 and figures.",
        "ksdp reproduce table2 --scale quick --workers 2",
    ),
    "report": (
        "One HTML page that evaluates a network.",
        "ksdp report a.safetensors -o report.html",
    ),
    "info": (
        "What a file holds, and the command that made it.",
        "ksdp info a.zarr",
    ),
    "plot": (
        "Densities, second moments, training curves, films.",
        "ksdp plot ks2d-time --t 0:0.1:51 -o film.gif",
    ),
    "export": (
        "Positions for other tools: .npz .nc .csv .vtkhdf.",
        "ksdp export a.zarr --A 1,100 --t 0.02 -o a.vtkhdf",
    ),
    "laws": (
        "Check the laws that hold for a flow and a kernel.",
        "ksdp laws --flow laminar2d --A 50 --kernel plummer",
    ),
    "presets": (
        "List the problems of simulate --preset NAME.",
        "ksdp presets",
    ),
    "demo": (
        "The main job in half a minute, into runs/demo.",
        "ksdp demo runs/demo",
    ),
    "warm-up": (
        "Compile now what a first run would compile.",
        "ksdp warm-up --kernel blob,plummer --dim 3",
    ),
    "cite": (
        "How to cite the paper and the software.",
        "ksdp cite --json",
    ),
}
for command in app.registered_commands:
    command.short_help, example = TOLD[str(command.name or getattr(command.callback, "__name__", ""))]
    command.epilog = f"Example: {example}"
app.add_typer(listing.app, name="plugins", short_help="List flows, kernels, metrics, and who brought them.")


def run() -> int:
    """The command line of this process; its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is no reason to fail
            stream.reconfigure(errors="backslashreplace")
    listen(sys.argv)
    compiling.tell = lambda message: say(f"ksdp: {message}")
    return guarded(_run)


def _run() -> int:
    for distribution, reason in _extend():
        say(f"ksdp: warning: commands of plugin {distribution} left out: {reason}")
    try:
        code = app(standalone_mode=False)
    except SystemExit as end:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":  # click's, when the reader of a help text left
            return 0
        return end.code if isinstance(end.code, int) else 0
    except typer.Abort:
        raise KeyboardInterrupt from None  # what click made of it while it read the words
    except Exception as error:
        if not is_usage(error):
            raise
        if type(error).__name__ != "NoArgsIsHelpError":
            say(usage_line(error))
        else:
            print(getattr(error, "ctx").get_help())  # noqa: B009 (the class is Typer's own and has no public name)
        return 2
    return code if isinstance(code, int) else 0


def _extend() -> list[tuple[str, str]]:
    """Let plugins add subcommands; one that fails, or takes a name that is there, is reported and left out whole."""
    failures = []
    loaded = plugins.loaded()
    for name, plugin in loaded.manager.list_name_plugin():
        others = [other for other in loaded.manager.get_plugins() if other is not plugin]
        before = app.registered_commands[:], app.registered_groups[:]
        try:
            loaded.manager.subset_hook_caller("ksdp_commands", others)(app=app)
            names = _command_names()
            taken = [word for k, word in enumerate(names) if word in names[:k]]
            if taken:
                raise ValueError(f"there is a command {taken[0]!r} already")
        except (Exception, SystemExit) as error:
            app.registered_commands[:], app.registered_groups[:] = before
            distribution = name.partition(":")[0]
            failures.append((distribution, loaded.fail(distribution, error)))
    return failures


def _command_names() -> list[str]:
    commands = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
    groups = [
        str(group.name or (group.typer_instance and group.typer_instance.info.name)) for group in app.registered_groups
    ]
    return [word.lower().replace("_", "-") for word in (*groups, *commands)]
