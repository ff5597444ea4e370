"""The one place where errors become a line and an exit code."""

from __future__ import annotations

import difflib
import os
import re
import sys
import traceback
from typing import Any

import typer
from typer.core import TyperGroup

from ..errors import KsdpError

BUG, INTERRUPTED = 1, 130


def say(message: str) -> None:
    """One line on stderr."""
    print(message, file=sys.stderr, flush=True)


class Boundary(TyperGroup):
    """The command group: a `KsdpError` leaves with its own code and one line, anything unforeseen with 1."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KsdpError as error:
            say(f"ksdp: error: {error}")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            say("ksdp: interrupted")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:  # the reader of our output left: nothing went wrong here
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except MemoryError:
            say("ksdp: error: out of memory; use fewer particles, or --dtype float32")
            raise typer.Exit(5) from None
        except OSError as error:
            name = f" {error.filename}" if error.filename else ""
            say(f"ksdp: error: {error.strerror or error}{name}; check the path, its permissions and the disk's room")
            raise typer.Exit(4) from None
        except Exception as error:
            if isinstance(error, (typer.Exit, typer.Abort)) or _is_usage(error):
                raise
            if type(error).__name__ == "OutOfMemoryError":  # torch's, which is not imported here
                say("ksdp: error: out of memory on the GPU; use fewer particles, --dtype float32 or --device cpu")
                raise typer.Exit(5) from None
            if os.environ.get("KSDP_TRACEBACK"):
                traceback.print_exc()
            say(f"ksdp: this is a bug: {type(error).__name__}: {error}; KSDP_TRACEBACK=1 shows where, please report it")
            raise typer.Exit(BUG) from None


def _is_usage(error: Exception) -> bool:
    """Whether Typer's own click made this error (it carries its click, so the class is found by its name)."""
    return any(cls.__name__ == "ClickException" for cls in type(error).__mro__)


def usage_line(error: Any) -> str:
    """One line for a usage error, with the nearest option or command that exists."""
    told = error.format_message().strip().rstrip(".").replace("\n", " ")
    unknown = re.search(r"No such (?:option|command):? '?([^'\s]+)'?", told)
    context = getattr(error, "ctx", None)
    if unknown and context is not None:
        names = [name for parameter in context.command.params for name in parameter.opts]
        names += list(getattr(context.command, "commands", {}))
        close = difflib.get_close_matches(unknown.group(1), names, n=1, cutoff=0.5)
        told = told.split(" (Possible", 1)[0].split(" Did you mean", 1)[0].rstrip(".")
        if close:
            return f"ksdp: error: {told}; did you mean {close[0]}?"
    path = context.command_path if context is not None else "ksdp"
    return f"ksdp: error: {told}; '{path} --help' lists what there is"
