"""Convert errors to one line on stderr and an exit code."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shlex
import sys
import traceback
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

from ..base import launcher
from ..base.failures import origin_of
from ..base.files import printable
from ..base.outputs import NO_ROOM
from ..base.spelling import nearest
from ..errors import ConfigError, KsdpError, ReportedElsewhere

#: Only rank 0 of a run prints; a rank that has lost another one exits at once. See `_ranks`.
silent, at_once = launcher.rank() > 0, False

BUG, DATA, RESOURCES, INTERRUPTED = 1, 4, 5, 130


#: The log on stderr: errors, warnings, progress (INFO) and details (DEBUG).
LOG = logging.getLogger("ksdp")


class _Stderr(logging.Handler):
    """Writes lines to the current stderr; ignores a missing or closed one."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is not None and not silent:
            with contextlib.suppress(OSError, ValueError):
                print(printable(record.getMessage()), file=sys.stderr, flush=True)


LOG.addHandler(_Stderr())
LOG.setLevel(logging.INFO)
LOG.propagate = False


def listen(words: list[str]) -> None:
    """Remove ``--quiet`` and ``-v`` from a command line, at any position, and set the log level."""
    end = words.index("--") if "--" in words else len(words)
    for level, names in ((logging.DEBUG, ("-v", "--verbose")), (logging.WARNING, ("--quiet",))):
        if any(name in words[1:end] for name in names):
            LOG.setLevel(level)
    words[1:end] = [word for word in words[1:end] if word not in ("-v", "--verbose", "--quiet")]


#: The start of a line, by its level.
_BEGINS = {
    logging.INFO: "ksdp: ",
    logging.WARNING: "ksdp: warning: ",
    logging.ERROR: "ksdp: error: ",
    logging.CRITICAL: "ksdp: this is a bug: ",
}


def say(message: str, level: int = logging.INFO) -> None:
    """Print one line on stderr with the start of its ``level``; ``--quiet`` drops levels below `logging.WARNING`."""
    LOG.log(level, "%s%s", _BEGINS[level], message)


def suggest(*words: object) -> None:
    """Name the next command of ksdp, on a line of its own and quoted for a shell."""
    say(f"next: {shlex.join(['ksdp', *map(str, words)])}")


def warn(message: str) -> None:
    """Print a warning on stderr."""
    say(message, logging.WARNING)


def flush() -> None:
    """Flush stdout and stderr."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()


class Boundary(TyperGroup):
    """The command group: a `KsdpError` exits with its own code and one line, an unexpected error with 1, or 2 if it
    is of a user's or a plugin's code."""

    def invoke(self, ctx: Any) -> Any:
        def command() -> int:
            code = super(Boundary, self).invoke(ctx)
            return code if isinstance(code, int) else 0

        code = exit_code_of(command)
        if code:
            raise typer.Exit(code)
        return code


def exit_code_of(work: Callable[[], int]) -> int:
    """Run ``work``, flush stdout, and return the exit code; print a line for an exception.

    Typer's own exceptions pass through.
    """
    try:
        try:
            return work()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here: an error at Python's exit could not be reported
    except ReportedElsewhere as error:
        return error.exit_code
    except KsdpError as error:
        say(str(error), logging.ERROR)
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has ended, which is not an error
        _drop_output()
        return 0
    except MemoryError:
        say("out of memory; use fewer particles, or --dtype float32", logging.ERROR)
        return RESOURCES
    except OSError as error:
        if error.errno in NO_ROOM:
            _drop_output()
        name = f": {error.filename}" if error.filename else ""
        say(f"{error.strerror or error}{name}; check the path, its permissions and the free disk space", logging.ERROR)
        return RESOURCES if error.errno in NO_ROOM else DATA
    except Exception as error:
        if isinstance(error, (typer.Exit, typer.Abort)) or is_usage(error):
            raise
        return _unexpected(error)


def _drop_output() -> None:
    """Redirect stdout to the null device, so that Python does not fail at its exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unexpected(error: Exception) -> int:
    """Return the code of an error that is not a `KsdpError`: a bug, but for a few types and code of others."""
    kind = type(error).__name__
    if kind == "OutOfMemoryError":  # torch's, which is not imported here
        say("out of memory on the GPU; use fewer particles, --dtype float32 or --device cpu", logging.ERROR)
        return RESOURCES
    if "can't start new thread" in str(error):
        advice = "raise its limit (ulimit -u, -v), or set OMP_NUM_THREADS=1"
        say(f"the system allows no more threads; {advice}", logging.ERROR)
        return RESOURCES
    if os.environ.get("KSDP_TRACEBACK"):
        traceback.print_exc()
    from .. import plugins

    if where := origin_of(error, plugins.packages()):
        say(f"{kind}{where}: {error}; KSDP_TRACEBACK=1 shows the calls that led there", logging.ERROR)
        return ConfigError.exit_code
    say(f"{kind}: {error}; KSDP_TRACEBACK=1 shows where, please report it", logging.CRITICAL)
    return BUG


def is_usage(error: Exception) -> bool:
    """Whether this is a usage error of click (Typer bundles click, so compare the class by its name)."""
    return any(cls.__name__ == "ClickException" for cls in type(error).__mro__)


def usage_line(error: Any) -> str:
    """Return one line for a usage error, with the nearest option or command."""
    message = error.format_message().strip().rstrip(".").replace("\n", " ")
    unknown = re.search(r"No such (?:option|command):? '?([^'\s]+)'?", message)
    context = getattr(error, "ctx", None)
    if unknown and context is not None:
        names = [name for parameter in context.command.params for name in parameter.opts]
        names += [*getattr(context.command, "commands", {}), *context.help_option_names]
        close = nearest(unknown.group(1), names)
        message = message.split(" (Possible", 1)[0].split(" Did you mean", 1)[0].rstrip(".")
        if close:
            return f"{message}; did you mean {close}?"
    path = context.command_path if context is not None else "ksdp"
    return f"{message}; see '{path} --help'"
