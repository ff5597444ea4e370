"""What ships with ksdp, offered through the hooks that a third-party plugin uses."""

from __future__ import annotations

from .hookspecs import hookimpl
from .registry import Component


@hookimpl
def ksdp_flows() -> list[Component]:
    return [
        Component("none", "ksdp_cli.flows.none:NoFlow", "no flow, v = 0"),
        Component("laminar2d", "ksdp_cli.flows.laminar:Laminar2D", "A (exp(-y^2), 0), eq. (19)"),
        Component("laminar3d", "ksdp_cli.flows.laminar:Laminar3D", "A (exp(-y^2-z^2), 0, 0), eq. (20)"),
        Component("kolmogorov", "ksdp_cli.flows.kolmogorov:Kolmogorov", "chaotic Kolmogorov flow, eq. (21)"),
        Component("hyperbolic", "ksdp_cli.flows.hyperbolic:Hyperbolic", "A (x1, -x_/(d-1)), section 2.1"),
    ]


@hookimpl
def ksdp_kernels() -> list[Component]:
    return [
        Component("blob", "ksdp_cli.kernels.blob:Blob", "Krasny's blob: the factor of eq. (7) on the force (default)"),
        Component("eq7", "ksdp_cli.kernels.eq7:Eq7", "eq. (7) read literally: the factor on the potential"),
        Component("plummer", "ksdp_cli.kernels.plummer:Plummer", "Rosenhead-Moore / Plummer softening"),
        Component("gaussian", "ksdp_cli.kernels.gaussian:Gaussian", "Chorin-Bernard Gaussian blob"),
        Component("coulomb", "ksdp_cli.kernels.coulomb:Coulomb", "unregularised eq. (4), for reference"),
    ]


@hookimpl
def ksdp_transition_solvers() -> list[Component]:
    return [
        Component("certified", "ksdp_cli.assignment.certified.solver:Certified", "exact, with a dual certificate"),
        Component("iterative-lp", "ksdp_cli.assignment.iterative:IterativeLP", "the paper's section 3.3"),
        Component("iterative-exact", "ksdp_cli.assignment.iterative:IterativeExact", "the same, sub-problems exact"),
        Component("emd", "ksdp_cli.assignment.pot:Emd", "POT's exact network simplex, for validation"),
        Component("bsp", "ksdp_cli.assignment.pot:Bsp", "POT's binary space partition, a cheap upper bound"),
    ]


@hookimpl
def ksdp_initial_clouds() -> list[Component]:
    return [
        Component("ball", "ksdp_cli.initial.ball:Ball", "uniform on a ball, by default the unit ball (default)"),
        Component("gaussian", "ksdp_cli.initial.gaussian:Gaussian", "normally distributed, alike along each axis"),
        Component("annulus", "ksdp_cli.initial.annulus:Annulus", "uniform on a ring in the plane, flat in space"),
        Component("mixture", "ksdp_cli.initial.mixture:Mixture", "Gaussian bumps: two, a polygon, a tetrahedron"),
        Component("density", "ksdp_cli.initial.density:Density", "a density on a grid, out of a file or an image"),
        Component("self_similar", "ksdp_cli.initial.self_similar:SelfSimilarCloud", "the spreading solution, 2D"),
        Component("collapse", "ksdp_cli.initial.collapse:CollapsingCloud", "the exact blow-up in space, cut, 3D"),
    ]


@hookimpl
def ksdp_schemes() -> list[Component]:
    return [
        Component("euler", "ksdp_cli.particles.schemes.euler:Euler", "Euler-Maruyama, weak order 1 (default)"),
        Component("heun", "ksdp_cli.particles.schemes.heun:Heun", "stochastic Heun, weak order 2, two drifts a step"),
    ]


@hookimpl
def ksdp_chemistries() -> list[Component]:
    return [
        Component("elliptic", "ksdp_cli.chemistry.elliptic:Elliptic", "eps = 0: the pair sum of eq. (8) (default)"),
        Component("parabolic", "ksdp_cli.chemistry.parabolic:Parabolic", "eps > 0: Fourier modes, free space or box"),
    ]


@hookimpl
def ksdp_metrics() -> list[Component]:
    return [
        Component("w2", "ksdp_cli.metrics.exact:Exact", "exact squared 2-Wasserstein distance, eq. (12)"),
        Component("sliced", "ksdp_cli.metrics.sliced:Sliced", "mean squared distance of projections on lines"),
        Component("radial", "ksdp_cli.metrics.radial:Radial", "fractions of the particles within radii"),
        Component("binned", "ksdp_cli.metrics.binned:Binned", "exact between histograms, figure 7(b)"),
        Component("bound", "ksdp_cli.metrics.bound:Bound", "upper bound of W2^2 by a bijection"),
    ]


@hookimpl
def ksdp_executors() -> list[Component]:
    return [
        Component("processes", "ksdp_cli.executors.processes:Processes", "processes of this machine (default)"),
        Component("dask", "ksdp_cli.executors.dask:Dask", "Dask: this machine, or the scheduler at dask:ADDRESS"),
        Component("slurm", "ksdp_cli.executors.slurm:Slurm", "arrays of Slurm, by submitit; slurm:local to try"),
    ]
