"""From options to a `Problem`: resolve names, give parameters to their components, list the cases."""

from __future__ import annotations

import contextlib
import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from pydantic import BaseModel, ValidationError

from .. import plugins
from ..base import parsing
from ..base.failures import origin_of
from ..base.files import JsonDict
from ..base.grids import SEED, streams
from ..base.labels import label
from ..base.parsing import sweep
from ..base.validation import first_error
from ..chemistry.base import Chemistry, Field
from ..chemistry.beginning import StoredField, beginning
from ..config import AUTO, PHYSICAL_UNITS, SCHEME, SimulateConfig, build, unknown_name
from ..errors import ConfigError, KsdpError
from ..flows.base import Flow
from ..initial.base import InitialCloud
from ..initial.stored import StoredCloud
from ..kernels.base import Kernel, dims_of
from ..registry import require_contract
from . import own
from .contents import contents
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


@overload
def load(kind: Literal["flow"], component: object) -> tuple[str, Flow | type[Flow]]: ...
@overload
def load(kind: Literal["kernel"], component: object) -> tuple[str, type[Kernel]]: ...
@overload
def load(kind: Literal["chemistry"], component: object) -> tuple[str, type[Chemistry]]: ...
@overload
def load(kind: Literal["scheme"], component: object) -> tuple[str, type[Scheme]]: ...
@overload
def load(kind: Literal["initial cloud"], component: object) -> tuple[str, InitialCloud | type[InitialCloud]]: ...
@overload
def load(kind: Literal["metric"], component: object) -> tuple[str, object]: ...
def load(kind: str, component: object) -> tuple[str, object]:
    """Return the long name and the class of a component of this ``kind``.

    ``component`` is a registered name, or a class or instance, which is returned itself and can be found by its name
    later in the same process. Raises `ConfigError` for an unknown name, and for an object without an attribute that its
    kind needs.
    """
    if isinstance(component, str):
        earlier = own.known(kind, component)
        if earlier is not None:
            return component, earlier
        entry = plugins.registry().find(kind, component)
        return entry.long_name, entry.load()
    name = own.name_of(component)
    require_contract(kind, name, component)
    own.remember(kind, component)
    return name, component


def initial_cloud(law: object, dim: int, values: Mapping[str, object] | None = None) -> tuple[str, InitialCloud]:
    """Return name and instance of the initial cloud ``law``: a registered name, a class, an instance or a stored cloud.

    ``values`` are its parameters by name. Raises `ConfigError` for a parameter that it does not have, and for a
    dimension that it does not support.
    """
    name, cloud = _law(law)
    fields = _fields(name, cloud) if isinstance(cloud, type) else {}
    _table("init_params", dict(values or {}), "initial cloud", fields)
    if isinstance(cloud, type):
        make: Callable[..., InitialCloud] = cloud
        cloud = make(_check(cloud.Params, values or {}, name)) if hasattr(cloud, "Params") else make()
    if dim not in cloud.dims:
        raise ConfigError(f"initial cloud {name!r} has dimension {_either(cloud.dims)}, not {dim}", "change --dim")
    return name, cloud


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
    init_name, law = _law(remaining.pop("init", SimulateConfig.model_fields["init"].default))
    c0: Any = remaining.pop("c0", SimulateConfig.model_fields["c0"].default)
    extra = {name: remaining.pop(name) for name in list(remaining) if name not in SimulateConfig.model_fields}
    of_law = _fields(init_name, law) if isinstance(law, type) else {}
    fields = {
        "flow": _fields(flow_name, flow),
        "kernel": _fields(kernel_name, kernel),
        "chemistry": _fields(chemistry_name, chemistry),
    }
    owners = {f"flow {flow_name!r}": fields["flow"], f"kernel {kernel_name!r}": fields["kernel"]}
    owners[f"chemistry {chemistry_name!r}"] = fields["chemistry"]
    _require_one_owner(
        extra, owners | {f"initial cloud {init_name!r}": of_law}, (flow_name, kernel_name, init_name, chemistry_name)
    )
    init_params = _single(
        _table("init_params", remaining.pop("init_params", {}), "initial cloud", of_law) | extra, of_law
    )
    _, initial = initial_cloud(law if isinstance(law, StoredCloud) else init_name, dim, init_params)
    digests = _contents({flow_name: flow, kernel_name: kernel, init_name: initial, scheme_name: scheme})
    digests |= _contents({chemistry_name: chemistry})
    parameters: dict[str, dict[str, tuple[float, ...]]] = {}
    for part, names in fields.items():
        values = _table(f"{part}_params", remaining.pop(f"{part}_params", {}), part, names)
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
    return Problem(config, cases, kernel, initial, units, scheme, chemistry, digests, begin)


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


def _law(law: object) -> tuple[str, InitialCloud | type[InitialCloud]]:
    """Name and class of the initial cloud ``law``, or its instance."""
    return (law.path, law) if isinstance(law, StoredCloud) else load("initial cloud", law)


def _single(parameters: JsonDict, fields: JsonDict) -> dict[str, float | str]:
    """The parameters of a law that differ from its defaults. Raises `ConfigError` for several values of one."""
    values: dict[str, float | str] = {}
    for name in [name for name in fields if name in parameters]:
        try:
            value = parameters[name]
            values[name] = str(value) if isinstance(fields[name].default, str) else parsing.number(value)
        except ConfigError as error:
            hint = "give one number: a store has one initial cloud, so its parameters cannot be swept"
            raise ConfigError(f"--{name.replace('_', '-')}: {error.message}", hint) from None
    return {name: value for name, value in values.items() if value != fields[name].default}


def _require_one_owner(extra: dict[str, object], fields: dict[str, dict[str, object]], names: tuple[str, ...]) -> None:
    """Raise `ConfigError` unless each parameter in ``extra`` belongs to exactly one component."""
    for name in extra:
        owners = [part for part in fields if name in fields[part]]
        if not owners:
            raise _no_such_parameter(name, names, fields)
        if len(owners) > 1:
            raise ConfigError(f"{' and '.join(owners)} both have a parameter {name!r}", "set it in a table of --config")


def _table(key: str, table: object, part: str, names: dict[str, object]) -> JsonDict:
    """Return ``table``, the parameters of ``part``. Raises `ConfigError` if it is not a table or has an unknown
    name."""
    if not isinstance(table, dict):
        raise ConfigError(f"{key} = {table!r} is not a table", f"write it as [{key}] with lines NAME = VALUE")
    for name in table:
        if name not in names:
            error = unknown_name(str(name), list(names))
            near = error.hint if names else f"this {part} has no parameters"
            raise ConfigError(f"[{key}] has {name!r}, which is not a parameter of the {part}", near)
    return table


def _contents(components: dict[str, object]) -> dict[str, str]:
    """The digest of each component that does not ship with ksdp, by name; a unique text if there is no digest."""
    external = {n: c for n, c in components.items() if not n.startswith("ksdp:") or hasattr(c, "digest")}
    own = {n: c for n, c in external.items() if not isinstance(c, StoredCloud)}
    return {name: contents(one) or f"not known ({secrets.token_hex(4)})" for name, one in own.items()}


def _cases(
    config: SimulateConfig, flow: Flow | type[Flow], kernel: type[Kernel], chemistry: type[Chemistry]
) -> list[Case]:
    rows = config.cases()
    seeds = [int(row.get(SEED, config.seeds[0])) for row in rows]
    fixed = {name: values[0] for name, values in config.parameters().items()}
    cases = []
    for number, (values, seed, stream) in enumerate(zip(rows, seeds, streams(seeds), strict=True)):
        p = fixed | values
        flow_params = _check(flow.Params, {name: p[name] for name in config.flow_params}, config.flow)
        kernel_params = _check(kernel.Params, {name: p[name] for name in config.kernel_params}, config.kernel)
        chemistry_values = {name: p[name] for name in config.chemistry_params}
        chemistry_params = _check(chemistry.Params, chemistry_values, config.chemistry)
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


def _check(model: type[BaseModel], values: Mapping[str, object], owner: str) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{owner}: {first_error(error)}", _shows(owner)) from None


def _shows(*owners: str) -> str | None:
    """The commands that list the parameters of those ``owners`` that are registered, or None."""
    names = {entry.long_name for entry in plugins.registry().entries}
    commands = [f"'ksdp plugins show {owner}'" for owner in owners if owner in names]
    return f"see {' and '.join(commands)}" if commands else None


def _fields(owner: str, component: object) -> JsonDict:
    """The fields of a component's ``Params``, or none. Raises `ConfigError` for a name that equation (8) uses."""
    fields = dict(component.Params.model_fields) if hasattr(component, "Params") else {}
    clash = [name for name in fields if name in SimulateConfig.model_fields]
    if clash:
        raise ConfigError(
            f"{owner} has a parameter {clash[0]!r}, which is an option of every run", "rename it in Params"
        )
    return fields


def _dimension(option: object, flow: str, flow_dims: tuple[int, ...], kernel: str, kernel_dims: tuple[int, ...]) -> int:
    """The dimension of ``option``, or the lowest that flow and kernel share. Raises `ConfigError` if there is none."""
    common = [d for d in flow_dims if d in kernel_dims]
    if option is None:
        if not common:
            raise ConfigError(
                f"flow {flow!r} has dimension {_either(flow_dims)}, kernel {kernel!r} {_either(kernel_dims)}"
            )
        return common[0]
    try:
        dim = int(str(option))
    except ValueError:
        raise ConfigError(f"--dim {option!r} is not a whole number", "give 2 or 3") from None
    for kind, name, dims in (("flow", flow, flow_dims), ("kernel", kernel, kernel_dims)):
        if dim not in dims:
            raise ConfigError(f"{kind} {name!r} has dimension {_either(dims)}, not {dim}", f"use --dim {dims[0]}")
    return dim


def _either(dims: tuple[int, ...]) -> str:
    return " or ".join(str(d) for d in dims) or "none"


def _no_such_parameter(name: str, owners: tuple[str, ...], fields: dict[str, dict[str, object]]) -> ConfigError:
    parameters = [name for names in fields.values() for name in names]
    error = unknown_name(name, [*SimulateConfig.model_fields, *parameters])
    if owned := _owners_of(name):
        hint = f"add {owned[0]}" if len(owned) == 1 else f"add one of them, as {owned[0]}"
        return ConfigError(f"--{name} belongs to {', '.join(owned)}", hint)
    text = "parameters: " + ", ".join(f"{part} has {', '.join(names) or 'none'}" for part, names in fields.items())
    if "did you mean" in (error.hint or ""):
        return error
    with_some = [owner for owner, names in zip(owners, fields.values(), strict=True) if names]
    return ConfigError(error.message, "; ".join(filter(None, (text, _shows(*with_some)))))


def _owners_of(name: str) -> list[str]:
    """The options that choose a registered component with a parameter ``name``."""
    found = []
    for kind, option in (("flow", "flow"), ("kernel", "kernel"), ("chemistry", "chemistry"), ("initial cloud", "init")):
        for entry in plugins.registry().of_kind(kind):
            with contextlib.suppress(Exception):  # a stranger's component may not load, or have strange parameters
                if name in _fields(entry.long_name, entry.load()):
                    found.append(f"--{option} {entry.name}")
    return found


def drift_prefactor(case: Case, particles: int) -> float:
    """chi M / J, the factor of the pair sum in equation (8)."""
    return case.chi * case.mass / particles


def diffusion(case: Case, dt: float) -> float:
    """sqrt(2 mu dt), the standard deviation of a Brownian step along an axis [length]."""
    return math.sqrt(2.0 * case.mu * dt)
