"""Typed errors: one root, one exit code a class.

A message says what was wrong, with the value; ``hint`` says what to do. The command line prints both on one
line and leaves with ``exit_code``; the Python API raises them as they are.
"""

from __future__ import annotations


class KsdpError(Exception):
    """Root of every error that ksdp raises on purpose."""

    exit_code = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class KsdpWarning(UserWarning):
    """What may be wrong though nothing failed: a coarse step, an extrapolating network."""


class ConfigError(KsdpError):
    """Usage or configuration: an unknown name, a value out of range, parameters that exclude one another."""

    exit_code = 2


class NumericalError(KsdpError):
    """Blow-up, non-finite positions, or an iteration that did not converge."""

    exit_code = 3


class DataError(KsdpError):
    """A store, model or checkpoint that is missing, in the way, incomplete or damaged."""

    exit_code = 4


class Taken(DataError):
    """An output that is there already."""


class Busy(Taken):
    """An output that another process is writing."""


class ResourceError(KsdpError):
    """A device that is not there, or memory or disk that cannot suffice."""

    exit_code = 5


class ReportedElsewhere(KsdpError):
    """An end of which another process of the same run tells; this one leaves with ``exit_code`` and says nothing."""

    def __init__(self, exit_code: int) -> None:
        super().__init__("the run has ended, and another of its processes says why")
        self.exit_code = exit_code


class Interrupted(KsdpError):
    """Stopped by a signal after the state was saved; ``exit_code`` is 128 + the signal's number."""

    def __init__(self, message: str, signal_number: int = 2, hint: str | None = None) -> None:
        super().__init__(message, hint)
        self.exit_code = 128 + signal_number
