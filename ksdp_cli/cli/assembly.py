"""Assemble the command line from its subcommands, one file each."""

from __future__ import annotations

import io
import logging
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
from ._boundary import Boundary, exit_code_of, is_usage, listen, say, usage_line, warn

app = typer.Typer(
    cls=Boundary,
    name="ksdp",
    help="Keller-Segel chemotaxis by interacting particles, and DeepParticle networks that learn its patterns.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["--help", "-h"], "max_content_width": 100},
)


def _version(flag: bool) -> None:
    if flag:
        print(f"ksdp {plugins.own_version()}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", help="Print only results, warnings and errors; works after any command.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Also print details, such as compilation; works after any command.")
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
    listing,
)
for module in VERBS:
    module.register(app)


def run() -> int:
    """Run the command line of this process and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # do not fail on characters that the terminal cannot show
            stream.reconfigure(errors="backslashreplace")
    listen(sys.argv)
    compiling.tell = say
    return exit_code_of(_run)


def _run() -> int:
    for distribution, reason in _extend():
        warn(f"commands of plugin {distribution} left out: {reason}")
    try:
        code = app(standalone_mode=False)
    except SystemExit as end:
        if type(sys.stdout).__name__ == "PacifyFlushWrapper":  # click's, when the reader of the help text has ended
            return 0
        return end.code if isinstance(end.code, int) else 0
    except typer.Abort:
        raise KeyboardInterrupt from None  # click converts it while it parses the words
    except Exception as error:
        if not is_usage(error):
            raise
        if type(error).__name__ != "NoArgsIsHelpError":
            say(usage_line(error), logging.ERROR)
        else:
            print(getattr(error, "ctx").get_help())  # noqa: B009 (the class is Typer's own and has no public name)
        return 2
    return code if isinstance(code, int) else 0


def _extend() -> list[tuple[str, str]]:
    """Let plugins add subcommands; report and skip a plugin that fails or uses an existing name."""
    failures = []
    all_plugins = plugins.loaded()
    for name, plugin in all_plugins.manager.list_name_plugin():
        others = [other for other in all_plugins.manager.get_plugins() if other is not plugin]
        before = app.registered_commands[:], app.registered_groups[:]
        try:
            all_plugins.manager.subset_hook_caller("ksdp_commands", others)(app=app)
            names = _command_names()
            duplicates = [word for k, word in enumerate(names) if word in names[:k]]
            if duplicates:
                raise ValueError(f"there is a command {duplicates[0]!r} already")
        except (Exception, SystemExit) as error:
            app.registered_commands[:], app.registered_groups[:] = before
            distribution = name.partition(":")[0]
            failures.append((distribution, all_plugins.fail(distribution, error)))
    return failures


def _command_names() -> list[str]:
    commands = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
    groups = [
        str(group.name or (group.typer_instance and group.typer_instance.info.name)) for group in app.registered_groups
    ]
    return [word.lower().replace("_", "-") for word in (*groups, *commands)]
