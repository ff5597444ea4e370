"""The one place where errors become a line and an exit code."""

from __future__ import annotations

import contextlib
import difflib
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperGroup

from ..base import launcher
from ..base.files import printable
from ..base.outputs import NO_ROOM
from ..errors import KsdpError, ReportedElsewhere

#: Of the ranks of a run the first one talks; and one that has lost another ends at once. See `_ranks`.
silent, at_once = launcher.rank() > 0, False

BUG, DATA, RESOURCES, INTERRUPTED = 1, 4, 5, 130


#: What goes to stderr: errors, warnings, what is being done (INFO), and details (DEBUG).
LOG = logging.getLogger("ksdp")


class _Stderr(logging.Handler):
    """Lines on the stderr of the moment; nothing where there is none, or nobody is left to be told."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is not None and not silent:
            with contextlib.suppress(OSError, ValueError):
                print(printable(record.getMessage()), file=sys.stderr, flush=True)


LOG.addHandler(_Stderr())
LOG.setLevel(logging.INFO)
LOG.propagate = False


def listen(words: list[str]) -> None:
    """Take ``--quiet`` and ``-v`` out of a command line, where they may stand anywhere, and obey them."""
    end = words.index("--") if "--" in words else len(words)
    for level, names in ((logging.DEBUG, ("-v", "--verbose")), (logging.WARNING, ("--quiet",))):
        if any(name in words[1:end] for name in names):
            LOG.setLevel(level)
    words[1:end] = [word for word in words[1:end] if word not in ("-v", "--verbose", "--quiet")]


#: What a line begins with, by its level.
_BEGINS = {
    logging.INFO: "ksdp: ",
    logging.WARNING: "ksdp: warning: ",
    logging.ERROR: "ksdp: error: ",
    logging.CRITICAL: "ksdp: this is a bug: ",
}


def say(message: str, level: int = logging.INFO) -> None:
    """Print one line on stderr, begun as its ``level`` asks; ``--quiet`` leaves out what is below `logging.WARNING`."""
    LOG.log(level, "%s%s", _BEGINS[level], message)


def warn(message: str) -> None:
    """`say` a warning."""
    say(message, logging.WARNING)


def flush() -> None:
    """Bring all that was said out of this process."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            with contextlib.suppress(OSError, ValueError):
                stream.flush()


class Boundary(TyperGroup):
    """The command group: a `KsdpError` leaves with its own code and one line, anything unforeseen with 1."""

    def invoke(self, ctx: Any) -> Any:
        def command() -> int:
            code = super(Boundary, self).invoke(ctx)
            return code if isinstance(code, int) else 0

        code = exit_code_of(command)
        if code:
            raise typer.Exit(code)
        return code


def exit_code_of(work: Callable[[], int]) -> int:
    """The exit code of ``work`` and of what it printed; what it raises becomes a line, and the code of its kind.

    Exceptions of Typer's own pass through.
    """
    try:
        try:
            return work()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()  # here, and not when Python ends, where nothing can be told any more
    except ReportedElsewhere as error:
        return error.exit_code
    except KsdpError as error:
        say(str(error), logging.ERROR)
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output left: nothing went wrong here
        _drop_output()
        return 0
    except MemoryError:
        say("out of memory; use fewer particles, or --dtype float32", logging.ERROR)
        return RESOURCES
    except OSError as error:
        if error.errno in NO_ROOM:
            _drop_output()
        name = f" {error.filename}" if error.filename else ""
        say(f"{error.strerror or error}{name}; check the path, its permissions and the disk's room", logging.ERROR)
        return RESOURCES if error.errno in NO_ROOM else DATA
    except Exception as error:
        if isinstance(error, (typer.Exit, typer.Abort)) or is_usage(error):
            raise
        return _unforeseen(error)


def _drop_output() -> None:
    """Send what is still to be printed nowhere, so that Python does not fail over it when it ends."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unforeseen(error: Exception) -> int:
    """The code of an error that has no class of ours: a few kinds that are no bug, and bugs."""
    kind = type(error).__name__
    if kind == "OutOfMemoryError":  # torch's, which is not imported here
        say("out of memory on the GPU; use fewer particles, --dtype float32 or --device cpu", logging.ERROR)
        return RESOURCES
    if "can't start new thread" in str(error):
        advice = "raise its limit (ulimit -u, -v), or OMP_NUM_THREADS=1"
        say(f"the system gives no more threads; {advice}", logging.ERROR)
        return RESOURCES
    if os.environ.get("KSDP_TRACEBACK"):
        traceback.print_exc()
    say(f"{kind}: {error}; KSDP_TRACEBACK=1 shows where, please report it", logging.CRITICAL)
    return BUG


def is_usage(error: Exception) -> bool:
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
            return f"{told}; did you mean {close[0]}?"
    path = context.command_path if context is not None else "ksdp"
    return f"{told}; '{path} --help' lists what there is"
