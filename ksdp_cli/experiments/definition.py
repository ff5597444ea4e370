"""The definition of an experiment: options of ``simulate`` and ``train``, rows of Table 2, figures.

The TOML files in ``data`` are the experiments that ship with ksdp; a user's file has the same model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from ..base.spelling import nearest
from ..base.validation import first_error
from ..config import Real, Settings, SimulateConfig, Sweep, TrainConfig, Whole, build, read_toml
from ..errors import ConfigError

DATA = Path(__file__).parent / "data"
#: The experiments of Table 2, in the paper's order.
TABLE2 = ("ks2d-time", "laminar2d-time", "laminar2d-amplitude", "laminar3d-amplitude", "kolmogorov-amplitude")
#: The experiments whose networks ship with ksdp.
SHIPPED = (*TABLE2, "parabolic-time", "parabolic-joint")

#: Pattern of names that become file names, so without a folder.
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"
Point = Annotated[dict[str, Real], Field(min_length=1)]


class Row(Settings):
    """One row of Table 2: the point of evaluation, and the paper's squared W2 there."""

    role: Literal["validation", "prediction"] = Field(description="inside the trained range, or outside")
    at: Point = Field(description="physical parameters by name")
    paper: Real | None = Field(None, gt=0, description="the paper's W2^2 [length^2]; none where it has no such row")


class Figure(Settings):
    """One of the paper's figures, drawn from this experiment's network.

    ``clouds``: histograms at the points ``at``, a row each; ``projections``: every projection at each point;
    ``second_moment`` and ``first_component``: curves along ``along``; ``overview``: figure 1.
    """

    name: str = Field(pattern=NAME)
    kind: Literal["clouds", "projections", "second_moment", "first_component", "overview"]
    title: str = ""
    at: tuple[Point, ...] = Field((), description="points of the histograms")
    along: dict[str, Sweep] = Field(default_factory=dict, max_length=1, description="the parameter of a curve")
    delta2: Sweep = Field((), description="regularisations that figure 1(a) compares [length^2]")


class Scale(Settings):
    """The size of a reproduction: options that override the experiment's, and sizes of the evaluation."""

    simulation: dict[str, Any] = Field(default_factory=dict)
    training: dict[str, Any] = Field(default_factory=dict)
    seeds: Whole = Field(ge=1, description="networks, each trained from a seed of its own")
    references: Whole = Field(ge=2, description="independent simulations a row, each with a seed of its own")
    N: tuple[Whole, ...] = Field(min_length=1, description="particles per cloud in the exact distances")
    samples: Whole = Field(1_000_000, ge=1, le=10**9, description="network particles in a figure")


class Experiment(Settings):
    """A simulation, a training on it, and the rows of Table 2 and figures from it."""

    name: str = Field(pattern=NAME, description="the folder of its outputs")
    summary: str
    simulation: dict[str, Any]
    training: dict[str, Any] = Field(default_factory=dict)
    validation: dict[str, Any] = Field(
        default_factory=dict, description="options laid over the simulation's for the runs that a training validates on"
    )
    rows: tuple[Row, ...] = ()
    figures: tuple[Figure, ...] = ()
    scales: dict[Literal["quick", "paper"], Scale] = Field(min_length=1)

    def scale(self, name: str) -> Scale:
        """Return the scale ``name``. Raises `ConfigError` if the experiment does not have it."""
        for own, scale in self.scales.items():
            if own == name:
                return scale
        raise ConfigError(f"{self.name} has no scale {name!r}", f"it has: {', '.join(self.scales)}")

    def smaller(self, scale: str, seeds: int | None = None) -> str | None:
        """Describe how ``scale``, with ``seeds`` networks, differs from ``paper``; None if it does not."""
        if scale == "paper" or "paper" not in self.scales:
            return None
        own, whole = self.scale(scale), self.scale("paper")
        differences = []
        for part, options in (
            ("simulation", (self.simulate_options(scale), self.simulate_options("paper"))),
            ("training", (self.train_options(scale, 0), self.train_options("paper", 0))),
        ):
            usual = (SimulateConfig if part == "simulation" else TrainConfig).model_fields
            for name in sorted({*options[0], *options[1]}):
                here, there = (one.get(name, usual[name].default if name in usual else None) for one in options)
                if here != there:
                    text = f"{name} = {here:g} for {there:g}" if _numbers(here, there) else f"{name} = {here}"
                    differences.append(text)
        differences += [f"{n} = {a} for {b}" for n, a, b in (("networks", seeds or own.seeds, whole.seeds),) if a != b]
        return ", ".join(differences) or None

    def simulate_options(self, scale: str) -> dict[str, object]:
        """Options of `simulate` for the training data."""
        return self.simulation | self.scale(scale).simulation

    def validation_options(self, scale: str) -> dict[str, object]:
        """Options of `simulate` for the validation runs."""
        return self.simulate_options(scale) | self.validation

    def train_options(self, scale: str, seed: int, algorithm: str | None = None) -> dict[str, object]:
        """Options of `train` for the network of one seed; ``algorithm`` overrides the experiment's."""
        options = self.training | self.scale(scale).training | {"seed": seed}
        return options if algorithm is None else options | {"algorithm": algorithm}


def _numbers(*values: object) -> bool:
    return all(isinstance(value, (int, float)) for value in values)


def names() -> list[str]:
    """Names of the experiments that ship with ksdp, those of Table 2 first."""
    every = sorted(file.stem for file in DATA.glob("*.toml"))
    return [*TABLE2, *(name for name in every if name not in TABLE2)]


def shipped() -> list[Experiment]:
    """All experiments that ship with ksdp, those of Table 2 first."""
    return [read(name) for name in names()]


def read(experiment: str | Path, others: Sequence[str] = ()) -> Experiment:
    """Read an experiment by its name, or by the path of a TOML file; ``others`` are more names, or ranges of
    names, for the message.

    Raises `ConfigError` for an unknown name, and for an invalid file, with file and key.
    """
    name = str(experiment)
    if name in names():
        return parse(DATA / f"{name}.toml")
    if name.endswith(".toml"):
        return parse(Path(experiment))
    known = [*others, *names()]
    close = nearest(name, [one for one in known if " " not in one])  # no ranges
    hint = f"did you mean {close}?" if close else f"there are: {', '.join(known)}, or the path of a .toml file"
    raise ConfigError(f"there is no experiment {name!r}", hint)


def parse(path: Path) -> Experiment:
    """Read and check the experiment of a TOML file. Raises `ConfigError`."""
    try:
        experiment = Experiment.model_validate({"name": _stem(path), **read_toml(path)})
    except ValidationError as error:
        raise ConfigError(f"{path}: {first_error(error)}", "correct the file") from None
    except ConfigError as error:
        raise _in(path, error) from None
    for scale in experiment.scales:
        _check(path, experiment, scale)
    return experiment


def _stem(path: Path) -> str:
    """Name of an experiment, from its file name."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", path.stem).lstrip("-_.")[:100] or "experiment"


def _check(path: Path, experiment: Experiment, scale: str) -> None:
    """Raise `ConfigError` for options that `simulate` or `train` refuse, and for points outside the network's
    parameters."""
    from ..particles.problem import pose

    try:
        config = pose(experiment.simulate_options(scale)).config
        build(TrainConfig, experiment.train_options(scale, 0))
        pose(experiment.validation_options(scale))
    except ConfigError as error:
        raise _in(path, error) from None
    parameters = {*config.swept(), *(["t"] if len(config.snapshots) > 1 else [])}
    if not parameters:
        raise ConfigError(f"{path}: nothing varies in its simulation", "sweep a parameter, or give several snapshots")
    points = [(f"rows.{i}.at", row.at) for i, row in enumerate(experiment.rows)]
    points += [(f"figures.{f.name}.at", point) for f in experiment.figures for point in f.at]
    points += [(f"figures.{f.name}.along", f.along) for f in experiment.figures if f.along]  # type: ignore[misc]
    for where, point in points:
        if set(point) != parameters:
            message = f"{where} gives {', '.join(sorted(point))}, and what varies is {', '.join(sorted(parameters))}"
            raise ConfigError(f"{path}: {message}", "name every parameter that varies, and no other")
    for row in (N for N in experiment.scale(scale).N if N > config.J):
        raise ConfigError(f"{path}: scales.{scale}.N = {row} and J = {config.J}", f"use N of {config.J} or less")


def _in(path: Path, error: ConfigError) -> ConfigError:
    """``error`` with the name of the file."""
    return error if str(path) in error.message else ConfigError(f"{path}: {error.message}", error.hint)
