"""From options to a `Problem`: resolve names, give parameters to their components, list the cases."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

from .. import plugins
from ..base import parsing
from ..base.failures import origin_of
from ..base.grids import SEED, streams
from ..base.labels import label
from ..base.parsing import sweep
from ..chemistry.base import Chemistry, Field
from ..chemistry.beginning import StoredField, beginning
from ..config import AUTO, PHYSICAL_UNITS, SCHEME, SimulateConfig, build
from ..errors import ConfigError, KsdpError
from ..flows.base import Flow
from ..initial.base import InitialCloud
from ..initial.stored import StoredCloud
from ..kernels.base import Kernel, dims_of
from .components import digests, either, initial_cloud, law_of, load
from .parameters import checked, fields_of, own_values, require_one_owner, table_of
from .schemes.base import Scheme

if TYPE_CHECKING:
    from .origin import MovingOrigin


@dataclass(frozen=True)
class Case:
    """One member of a sweep: ``values`` holds its swept parameters; the other fields define equation (8).

    ``number`` is its position in the sweep, and ``stream`` its position among the cases with its ``seed``; seed and
    stream determine its random numbers in any process.
    """

    values: dict[str, float]
    mu: float
    chi: float
    mass: float
    flow: Flow
    kernel_args: tuple[float, ...]
    number: int = 0
    chemistry_params: BaseModel | None = None
    seed: int = 0
    stream: int = 0

    @property
    def place(self) -> str:
        """`` at A = 10`` for a message; empty without a sweep."""
        return f" at {label(self.values)}" if self.values else ""


@dataclass(frozen=True)
class Problem:
    """A configuration with its classes loaded, ready to run.

    ``contents`` holds a digest of each component that does not ship with ksdp, since a name does not identify it.
    ``c0`` is the initial chemical, a word of `chemistry.beginning.WORDS` or a function of the coordinates.
    """

    config: SimulateConfig
    cases: list[Case]
    kernel: type[Kernel]
    initial: InitialCloud
    units: dict[str, str]
    scheme: type[Scheme]
    chemistry: type[Chemistry]
    contents: dict[str, str] = field(default_factory=dict)
    c0: str | Field = "zero"
    #: The `MovingOrigin` of a case by its number and T, computed once by `moving_origin`.
    origins: dict[tuple[int, float], MovingOrigin] = field(default_factory=dict, compare=False, repr=False)


def pose(options: Mapping[str, object]) -> Problem:
    """Build the problem from ``options``: fields of `SimulateConfig`, and parameters of the components by name.

    Raises `ConfigError` for an unknown name, a dimension that a component does not support, or a value out of range.
    """
    remaining = {name: value for name, value in options.items() if value is not None}
    flow_name, flow = load("flow", remaining.pop("flow", "none"))
    chemistry_name, chemistry = load("chemistry", remaining.pop("chemistry", "elliptic"))
    kernel_name, kernel = load("kernel", remaining.pop("kernel", chemistry.kernel))
    dim = _dimension(remaining.pop("dim", None), flow_name, flow.dims, kernel_name, dims_of(kernel))
    usual = AUTO["scheme"] if remaining.get("dt") == "auto" else SCHEME
    scheme_name, scheme = load("scheme", remaining.pop("scheme", usual))
    init_name, law = law_of(remaining.pop("init", SimulateConfig.model_fields["init"].default))
    c0: Any = remaining.pop("c0", SimulateConfig.model_fields["c0"].default)
    extra = {name: remaining.pop(name) for name in list(remaining) if name not in SimulateConfig.model_fields}
    of_law = fields_of(init_name, law) if isinstance(law, type) else {}
    swept = {("flow", flow_name): flow, ("kernel", kernel_name): kernel, ("chemistry", chemistry_name): chemistry}
    fields = {part: fields_of(part[1], component) for part, component in swept.items()}
    require_one_owner(extra, fields | {("initial cloud", init_name): of_law})
    init_params = own_values(
        table_of("init_params", remaining.pop("init_params", {}), "initial cloud", of_law) | extra, of_law
    )
    _, initial = initial_cloud(law if isinstance(law, StoredCloud) else init_name, dim, init_params)
    named = {flow_name: flow, kernel_name: kernel, init_name: initial, scheme_name: scheme, chemistry_name: chemistry}
    parameters: dict[str, dict[str, tuple[float, ...]]] = {}
    for (part, _), names in fields.items():
        values = table_of(f"{part}_params", remaining.pop(f"{part}_params", {}), part, names)
        parameters[part] = {}
        for name in names:
            with parsing.option(name):
                given = extra[name] if name in extra else values.get(name, names[name].default)
                parameters[part][name] = sweep(given)
    begin = beginning(c0)
    if isinstance(begin, StoredField) and len(begin.axes) != dim:
        raise ConfigError(f"c of {begin.path} is in {len(begin.axes)} dimensions, not {dim}", "change --dim or --c0")
    if not chemistry.memory and begin != "zero":
        raise ConfigError(f"c0 for chemistry {chemistry_name!r}, which has no memory", "use --chemistry parabolic")
    if isinstance(initial, StoredCloud):
        remaining.setdefault("t0", initial.t)
    config = build(
        SimulateConfig,
        remaining
        | {"flow": flow_name, "kernel": kernel_name, "dim": dim, "init": init_name}
        | {"scheme": scheme_name.removeprefix("ksdp:")}  # stores from before the registry have short names
        | {"flow_params": parameters["flow"], "kernel_params": parameters["kernel"], "init_params": init_params}
        | {"chemistry": chemistry_name, "chemistry_params": parameters["chemistry"], "c0": getattr(c0, "path", c0)},
    )
    cases = _cases(config, flow, kernel, chemistry)
    for case in cases:
        own_chemical(init_name, initial, case, begin)
    units = PHYSICAL_UNITS | {
        name: field.description or name for names in fields.values() for name, field in names.items()
    }
    if SEED in config.swept():
        units[SEED] = "seed of the initial cloud and of the Brownian paths"
    return Problem(config, cases, kernel, initial, units, scheme, chemistry, digests(named), begin)


def own_chemical(name: str, initial: InitialCloud, case: Case, c0: str | Field) -> str | Field:
    """Return ``c0`` in the box of this case; if it is "exact", the chemical of the initial cloud.

    Raises `ConfigError` if that cloud has no chemical, or none for this case, and as `StoredField.within`.
    """
    values = case.chemistry_params.model_dump() if case.chemistry_params else {}
    if isinstance(c0, StoredField):
        return c0.within(values.get("box", 0.0))
    if not (isinstance(c0, str) and c0 == "exact"):
        return c0
    if not hasattr(initial, "chemical"):
        raise ConfigError(f"c0 = 'exact' for initial cloud {name!r}, which has no chemical", "use --init self_similar")
    c: Field = initial.chemical(case.mu, case.chi, case.mass, values.get("eps", 0.0), values.get("k", 0.0))
    return c


def _cases(
    config: SimulateConfig, flow: Flow | type[Flow], kernel: type[Kernel], chemistry: type[Chemistry]
) -> list[Case]:
    rows = config.cases()
    seeds = [int(row.get(SEED, config.seeds[0])) for row in rows]
    fixed = {name: values[0] for name, values in config.parameters().items()}
    cases = []
    for number, (values, seed, stream) in enumerate(zip(rows, seeds, streams(seeds), strict=True)):
        p = fixed | values
        flow_params = checked(flow.Params, {name: p[name] for name in config.flow_params}, config.flow)
        kernel_params = checked(kernel.Params, {name: p[name] for name in config.kernel_params}, config.kernel)
        chemistry_values = {name: p[name] for name in config.chemistry_params}
        chemistry_params = checked(chemistry.Params, chemistry_values, config.chemistry)
        args = (p["delta2"], *(float(value) for value in kernel_params.model_dump().values()))
        field = _flow_of_case(flow, flow_params, config)
        cases.append(Case(values, p["mu"], p["chi"], p["M"], field, args, number, chemistry_params, seed, stream))
    return cases


def _flow_of_case(flow: Flow | type[Flow], parameters: BaseModel, config: SimulateConfig) -> Flow:
    """The flow of a case. Raises `ConfigError` if its code fails at two test points, or is not a velocity there."""
    hint = "check it with ksdp_cli.testing.check_flow"
    # no round numbers, where a flow may be singular
    ends = (0.5137, 0.4713, 0.5391), (0.7219, 0.6083, 0.4271)
    points = np.array([end[: config.dim] for end in ends], config.dtype)
    x = points.copy()
    try:
        field = flow(parameters, config.dim) if isinstance(flow, type) else flow
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # found below
            v = field.velocity(x, config.t0)
    except KsdpError:
        raise
    except Exception as error:
        message = f"flow {config.flow!r} fails{origin_of(error, plugins.packages())}: {type(error).__name__}: {error}"
        raise ConfigError(message, hint) from error
    if not (isinstance(v, np.ndarray) and v.shape == x.shape and v.dtype.kind in "fiu"):
        what = f"shape {v.shape} of {v.dtype}" if isinstance(v, np.ndarray) else f"a {type(v).__name__}"
        raise ConfigError(f"flow {config.flow!r} returned {what} for positions of shape {x.shape}", hint)
    for point, velocity in zip(points, v, strict=True):
        if not np.isfinite(velocity).all():
            raise ConfigError(f"flow {config.flow!r} returned {velocity.tolist()} at x = {point.tolist()}", hint)
    if (x != points).any():
        raise ConfigError(f"flow {config.flow!r} changes the positions that it is given", hint)
    return field


def _dimension(option: object, flow: str, flow_dims: tuple[int, ...], kernel: str, kernel_dims: tuple[int, ...]) -> int:
    """The dimension of ``option``, or the lowest that flow and kernel share. Raises `ConfigError` if there is none."""
    common = [d for d in flow_dims if d in kernel_dims]
    if option is None:
        if not common:
            raise ConfigError(
                f"flow {flow!r} has dimension {either(flow_dims)}, kernel {kernel!r} {either(kernel_dims)}"
            )
        return common[0]
    try:
        dim = int(str(option))
    except ValueError:
        raise ConfigError(f"--dim {option!r} is not a whole number", "give 2 or 3") from None
    for kind, name, dims in (("flow", flow, flow_dims), ("kernel", kernel, kernel_dims)):
        if dim not in dims:
            raise ConfigError(f"{kind} {name!r} has dimension {either(dims)}, not {dim}", f"use --dim {dims[0]}")
    return dim


def drift_prefactor(case: Case, particles: int) -> float:
    """chi M / J, the factor of the pair sum in equation (8)."""
    return case.chi * case.mass / particles


def diffusion(case: Case, dt: float) -> float:
    """sqrt(2 mu dt), the standard deviation of a Brownian step along an axis [length]."""
    return math.sqrt(2.0 * case.mu * dt)
