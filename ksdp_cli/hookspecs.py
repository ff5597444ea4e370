"""The hooks a plugin may implement; `ksdp_cli.plugin` has all that it imports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

from .registry import Component

if TYPE_CHECKING:
    import typer

PROJECT = "ksdp"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def ksdp_flows() -> list[Component]:  # type: ignore[empty-body]
    """Background velocity fields v(x, t): classes as `ksdp_cli.flows.base.Flow`."""


@hookspec
def ksdp_kernels() -> list[Component]:  # type: ignore[empty-body]
    """Interaction kernels g(r^2): classes as `ksdp_cli.kernels.base.Kernel`."""


@hookspec
def ksdp_transition_solvers() -> list[Component]:  # type: ignore[empty-body]
    """Solvers for the transition matrix gamma: classes as `ksdp_cli.assignment.base.TransitionSolver`."""


@hookspec
def ksdp_initial_clouds() -> list[Component]:  # type: ignore[empty-body]
    """Laws of the initial particles: classes as `ksdp_cli.initial.base.InitialCloud`."""


@hookspec
def ksdp_schemes() -> list[Component]:  # type: ignore[empty-body]
    """Time steps of equation (8): classes as `ksdp_cli.particles.schemes.base.Scheme`."""


@hookspec
def ksdp_chemistries() -> list[Component]:  # type: ignore[empty-body]
    """Equations of the chemical: classes as `ksdp_cli.chemistry.base.Chemistry`."""


@hookspec
def ksdp_metrics() -> list[Component]:  # type: ignore[empty-body]
    """Distances between clouds and tables of both: classes as `ksdp_cli.metrics.base.Distance` or `Profile`."""


@hookspec
def ksdp_executors() -> list[Component]:  # type: ignore[empty-body]
    """Where the cases of a sweep run: classes as `ksdp_cli.executors.base.Workers`."""


@hookspec
def ksdp_commands(app: typer.Typer) -> None:
    """Add subcommands to the command line."""
