"""Equation (8) as a run is asked for: one case, or a sweep."""

from __future__ import annotations

import itertools
import math
from typing import Literal

from pydantic import Field, model_validator

from ..base import grids
from ..base import parsing as numbers
from ..base.settings import Device, Names, Real, Seeds, Settings, Sweep, Whole, cli_text
from ..errors import ConfigError

#: Parameters of equation (8) that every run has, with the unit that stores write beside them.
PHYSICAL_UNITS = {
    "mu": "diffusivity (mobility) [length^2 / time]",
    "chi": "chemo-sensitivity; negative repels",
    "M": "total mass",
    "delta2": "regularisation delta^2 [length^2]",
}


#: Members of a sweep in one store, at most: each is posed before the first byte is written.
MOST_CASES = 10_000

#: Time integration of fixed steps.
SCHEME = "euler"
#: What ``dt = "auto"`` stands for, where the other two are not given: steps from 1e-3 down to 1e-9, and the scheme that
#: makes the smaller error with as many forces.
AUTO = {"dt": 1e-3, "halvings": 20, "scheme": "heun"}


class SimulateConfig(Settings):
    """Equation (8) for one case, or for each member of a sweep over physical parameters."""

    flow: str = Field("none", description="background flow; 'ksdp plugins' lists them")
    kernel: str = Field("blob", description="regularised interaction kernel")
    dim: Whole = Field(
        2, ge=2, le=3, description="space dimension", json_schema_extra=cli_text("2|3", "the lowest that the flow has")
    )
    init: str = Field(
        "ball",
        description="initial cloud: a name, FILE.py:CLASS, a file of points (.npy, .csv), or a store to continue, as "
        "s.zarr@A=10,t=0.02",
        json_schema_extra=cli_text("NAME|PATH"),
    )
    J: Whole = Field(10_000, ge=1, description="number of particles, as 1e6 or 10_000")
    t0: Real = Field(
        0.0,
        description="time of the initial cloud [time]; a stored cloud has its own",
    )
    T: Real = Field(0.1, ge=0, description="length of the run, counted from t0 [time]")
    dt: Real = Field(
        1e-4,
        gt=0,
        description="largest time step [time], shorter before a snapshot if need be; auto: --dt 1e-3 --halvings 20 "
        "--scheme heun",
        json_schema_extra=cli_text("NUMBER|auto"),
    )
    halvings: Whole = Field(
        0, ge=0, le=30, description="how often a step may be halved where attraction or flow need it"
    )
    dt_fraction: Real = Field(
        0.25, gt=0, description="with halved steps: the largest move by attraction in one step, as a fraction of delta"
    )
    snapshots: Sweep = Field(
        (),
        description="times to store, counted from t0 [time], as 0:0.1:11",
        json_schema_extra=cli_text(default="T alone"),
    )
    mu: Sweep = Field((1.0,), description=PHYSICAL_UNITS["mu"])
    chi: Sweep = Field((1.0,), description=PHYSICAL_UNITS["chi"])
    M: Sweep = Field((16 * math.pi,), description=PHYSICAL_UNITS["M"])
    delta2: Sweep = Field((1e-3,), description=PHYSICAL_UNITS["delta2"])
    flow_params: dict[str, Sweep] = Field(default_factory=dict, description="the flow's own parameters")
    kernel_params: dict[str, Sweep] = Field(default_factory=dict, description="the kernel's own parameters")
    init_params: dict[str, float | str] = Field(
        default_factory=dict, description="the initial cloud's own parameters that are not its defaults"
    )
    merge: Literal["none", "delta", "stop"] = Field(
        "none",
        description="beyond a blow-up: delta, in 2D, replaces the particles within 4 delta of a point by one heavy "
        "particle; stop ends the run there",
    )
    seed: Seeds = Field(
        0,
        description="seed of the initial cloud and of the Brownian paths; several, as 0:15:16, make an ensemble",
        json_schema_extra=cli_text("SWEEP"),
    )
    sampling: Literal["random", "quiet"] = Field(
        "random",
        description="independent particles (random), or evenly spread ones with opposite increments for neighbours "
        "(quiet): the same limit with less noise",
    )
    zip: Names = Field(
        (),
        description="swept parameters that vary together, as A,mu: the first of each, the second of each, and so on",
        json_schema_extra=cli_text(default="none: every combination is a case"),
    )
    device: Device = Field("auto", description="device of the particles")
    dtype: Literal["float32", "float64"] = Field("float32", description="precision of positions and drift")
    engine: Literal["auto", "direct", "tree", "mesh"] = Field("auto", description="how the pair sum is evaluated")
    origin: Literal["fixed", "moving"] = Field(
        "fixed",
        description="origin of the positions: 0, or a point that moves with the cloud, for a cloud far from 0",
    )
    accuracy: Real = Field(1e-4, gt=0, lt=1, description="largest relative error of the drift, for tree and mesh")
    scheme: str = Field(
        SCHEME, description="time integration", json_schema_extra=cli_text(default=f"{SCHEME}, with --dt auto heun")
    )
    chemistry: str = Field(
        "elliptic", description="equation of the chemical: elliptic, or parabolic with --eps and --k"
    )
    c0: str = Field(
        "zero",
        description="initial chemical, for eps > 0: zero, elliptic, exact (with --init self_similar), "
        "gaussian:MASS,WIDTH, or a store with c",
        json_schema_extra=cli_text("TEXT|STORE"),
    )
    chemistry_params: dict[str, Sweep] = Field(default_factory=dict, description="the chemistry's own parameters")
    store_field: Whole = Field(
        0, ge=0, le=1 << 14, description="also store the chemical c, on this many points per axis; 0: do not"
    )
    store_gradient: Literal["no", "yes"] = Field("no", description="with --store-field, also store the gradient of c")
    field_side: Real = Field(
        0.0,
        ge=0,
        description="side of the box in which c is stored, the same for all frames [length]",
        json_schema_extra=cli_text(
            default="the periodic box, or one around the path of the initial cloud in the flow, margin 3 sqrt(2 mu T)"
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _times(cls, data: object) -> object:
        """Complete T from the snapshots, or the snapshots from T; the last snapshot is T."""
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if data.get("dt") == "auto":
            data |= AUTO | {name: data[name] for name in ("halvings", "scheme") if data.get(name) is not None}
        with numbers.option("snapshots"):
            times = numbers.sweep(data["snapshots"]) if data.get("snapshots") not in (None, (), []) else ()
        if any(b <= a for a, b in itertools.pairwise(times)):
            raise ConfigError(f"snapshots {', '.join(f'{t:g}' for t in times)} do not increase", "sort the times")
        if times and times[0] < 0:
            raise ConfigError(
                f"snapshot {times[0]:g} lies before the start", "snapshots count from t0, where they are 0"
            )
        if data.get("T") is None:
            data["T"] = times[-1] if times else cls.model_fields["T"].default
        with numbers.option("T"):
            end = numbers.number(data["T"])
        if times and times[-1] > end * (1 + 1e-12):
            hint = "raise --T or drop the snapshot" + ("; both count from t0" if data.get("t0") else "")
            raise ConfigError(f"snapshot {times[-1]:g} lies beyond T = {end:g}", hint)
        data["snapshots"] = times if times and times[-1] >= end * (1 - 1e-12) else (*times, end)
        return data

    @model_validator(mode="after")
    def _ranges(self) -> SimulateConfig:
        for name in ("mu", "M", "delta2"):
            low = min(getattr(self, name))
            if low < 0:
                raise ConfigError(f"{name} = {low:g} is negative", f"give --{name} a value of 0 or more")
        if self.engine == "mesh" and self.dim == 3:
            raise ConfigError("engine 'mesh' in 3D", "it is for 2D; use --engine auto")
        if self.device == "cuda":
            for what, why in self._only_on_the_cpu().items():
                raise ConfigError(f"{what} is not possible on a GPU", f"{why}: use --device cpu")
        if min(self.delta2) == 0:
            for what, why in self._cut_by_delta().items():
                raise ConfigError(f"{what} and delta2 = 0 cannot be combined", f"{why}: give --delta2 above 0")
        if self.merge == "delta":
            self._require_mergeable()
        if self.merge == "stop":
            self._require_stoppable()
        if self.store_gradient == "yes" and not self.store_field:
            raise ConfigError("--store-gradient needs --store-field", "give the points per axis, as --store-field 64")
        sweep = self.swept()
        grids.require_in_step(self.zip, sweep)
        cases = grids.count(sweep, self.zip)
        if cases > MOST_CASES:
            raise ConfigError(
                f"{' x '.join(str(len(v)) for v in sweep.values())} values of {', '.join(sweep)} make {cases} cases",
                f"at most {MOST_CASES} go into a store; sweep fewer values, or make several stores",
            )
        grids.require_unlike(self.cases())
        return self

    @property
    def times(self) -> tuple[float, ...]:
        """The snapshots as times of equation (8): from ``t0`` on. Raises `ConfigError` where ``t0`` drowns them."""
        if self.t0 == 0.0:
            return self.snapshots
        times = tuple(numbers.tidy(self.t0 + since) for since in self.snapshots)
        if len(set(times)) < len(times):
            raise ConfigError(f"t0 = {self.t0:g} is so large that snapshots after it are one number", "lower --t0")
        return times

    def _only_on_the_cpu(self) -> dict[str, str]:
        """What this run asks for that only the CPU does, each with a sentence of advice."""
        wants = {
            "engine 'mesh'": (self.engine == "mesh", "it is for 2D on the CPU"),
            "--merge delta": (self.merge == "delta", "particles are merged on the CPU"),
            "--merge stop": (self.merge == "stop", "a collapse is followed on the CPU"),
            "--origin moving": (self.origin == "moving", "positions count from it on the CPU"),
            "halving of steps": (self.halvings > 0, "steps are halved on the CPU"),
            "--sampling quiet": (self.sampling == "quiet", "neighbours are paired on the CPU"),
        }
        return {what: why for what, (is_set, why) in wants.items() if is_set}

    def _cut_by_delta(self) -> dict[str, str]:
        """What this run asks for that needs a length delta, each with a sentence of advice."""
        wants = {
            "halving of steps": (self.halvings > 0, "steps are halved by delta"),
            "--merge delta": (self.merge == "delta", "what lies within 4 delta is merged"),
            "--merge stop": (self.merge == "stop", "a run stops where delta resolves it no more"),
        }
        return {what: why for what, (is_set, why) in wants.items() if is_set}

    def _require_mergeable(self) -> None:
        if self.origin != "fixed":
            raise ConfigError("--merge delta and a moving origin cannot be combined", "use --origin fixed")
        if self.sampling == "quiet":
            raise ConfigError(
                "--merge delta and --sampling quiet cannot be combined: a heavy particle would not diffuse",
                "use --sampling random",
            )
        if self.dim == 3:
            raise ConfigError(
                "--merge delta is not possible in 3D, where no mass is critical",
                "it is for the plane: use --merge none",
            )

    def _require_stoppable(self) -> None:
        if self.dim == 2 and min(self.mu) == 0:
            raise ConfigError(
                "--merge stop is not possible with mu = 0 in 2D: the critical mass is 0",
                "give --mu above 0, or use --merge none",
            )
        if self.swept():
            raise ConfigError(
                f"--merge stop is not possible for several values of {', '.join(self.swept())}: they end apart",
                "make a store of each, or use --merge none: t_b is recorded all the same",
            )

    @property
    def place(self) -> Device:
        """``device``, or the CPU where only that can do it."""
        return "cpu" if self._only_on_the_cpu() else self.device

    def parameters(self) -> dict[str, tuple[float, ...]]:
        """Every physical parameter with its values, those of equation (8) first."""
        own = {name: getattr(self, name) for name in PHYSICAL_UNITS}
        return own | self.flow_params | self.kernel_params | self.chemistry_params

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds, one or more."""
        return self.seed if isinstance(self.seed, tuple) else (self.seed,)

    def swept(self) -> dict[str, tuple[float, ...]]:
        """The parameters that take more than one value, the seed last."""
        every = self.parameters() | {grids.SEED: self.seeds}
        return {name: values for name, values in every.items() if len(values) > 1}

    def cases(self) -> list[dict[str, float]]:
        """The swept parameters of each case, in the order of the store."""
        return grids.combinations(self.swept(), self.zip)
