"""What a target of ``ksdp reproduce`` asks for."""

from __future__ import annotations

from dataclasses import dataclass

from . import definition
from .definition import TABLE2, Experiment


@dataclass(frozen=True)
class Job:
    """An experiment of a target, whether to measure its rows, and the figures to draw."""

    experiment: Experiment
    rows: bool
    figures: tuple[str, ...]


def jobs(target: str) -> list[Job]:
    """The jobs of a target: NAME or a TOML file, ``table2``, ``all``, or the name of a figure.

    Raises `ConfigError` for an unknown target.
    """
    if target == "table2":
        return [Job(definition.read(name), True, ()) for name in TABLE2]
    if target == "all":
        return [Job(one, True, tuple(f.name for f in one.figures)) for one in definition.shipped()]
    if not target.endswith(".toml") and target not in definition.names():
        own = [Job(one, False, (target,)) for one in definition.shipped() if target in {f.name for f in one.figures}]
        if own:
            return own
    one = definition.read(target, ("table2", "all", "fig1 to fig10"))
    return [Job(one, True, tuple(f.name for f in one.figures))]
