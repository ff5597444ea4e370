"""From options to what is integrated: names resolved, parameters handed to their owner, cases laid out."""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, overload

import numpy as np
from pydantic import BaseModel, ValidationError

from .. import plugins
from ..base import parsing
from ..base.files import JsonDict
from ..base.grids import SEED, streams
from ..base.labels import label
from ..base.parsing import sweep
from ..base.validation import first_error
from ..chemistry.base import Chemistry, Field
from ..chemistry.beginning import StoredField, beginning
from ..config import PHYSICAL_UNITS, SimulateConfig, build, unknown_name
from ..errors import ConfigError, KsdpError
from ..flows.base import Flow
from ..initial.base import InitialCloud
from ..initial.stored import StoredCloud
from ..kernels.base import Kernel, dims_of
from ..registry import require_contract
from . import own
from .contents import contents
from .schemes.base import Scheme


@dataclass(frozen=True)
class Case:
    """One member of a sweep: ``values`` holds the swept parameters, the rest is equation (8) for this member.

    ``number`` is its place in the sweep, ``stream`` that among the cases of its ``seed``: the two fix its random
    numbers wherever the case is run.
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
        """`` at A = 10`` for a sentence; empty where nothing is swept."""
        return f" at {label(self.values)}" if self.values else ""


@dataclass(frozen=True)
class Problem:
    """A configuration with its classes loaded: what the integrator runs.

    ``contents`` are digests of the flow, kernel and initial cloud that are not ksdp's own: their names say too little.
    ``c0`` is the chemical at the start, a word or a function of the coordinates.
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


@overload
def load(kind: Literal["flow"], given: object) -> tuple[str, Flow | type[Flow]]: ...
@overload
def load(kind: Literal["kernel"], given: object) -> tuple[str, type[Kernel]]: ...
@overload
def load(kind: Literal["chemistry"], given: object) -> tuple[str, type[Chemistry]]: ...
@overload
def load(kind: Literal["scheme"], given: object) -> tuple[str, type[Scheme]]: ...
@overload
def load(kind: Literal["initial cloud"], given: object) -> tuple[str, InitialCloud | type[InitialCloud]]: ...
@overload
def load(kind: Literal["metric"], given: object) -> tuple[str, object]: ...
def load(kind: str, given: object) -> tuple[str, object]:
    """The long name and class of a registered component; a class or instance given directly passes through, and is
    found again by its name in the same process.

    Raises `ConfigError` for an unknown name, and for what lacks an attribute that its kind must have.
    """
    if isinstance(given, str):
        before = own.known(kind, given)
        if before is not None:
            return given, before
        entry = plugins.registry().find(kind, given)
        return entry.long_name, entry.load()
    name = own.name_of(given)
    require_contract(kind, name, given)
    own.remember(kind, given)
    return name, given


def initial_cloud(given: object, dim: int, values: Mapping[str, object] | None = None) -> tuple[str, InitialCloud]:
    """Name and instance of an initial cloud: registered, a class or instance of the caller's, or an opened store.

    ``values`` are its parameters by name. Raises `ConfigError` for one that it has not, and for another dimension.
    """
    name, cloud = _law(given)
    fields = _fields(name, cloud) if isinstance(cloud, type) else {}
    _table("init_params", dict(values or {}), "initial cloud", fields)
    if isinstance(cloud, type):
        make: Callable[..., InitialCloud] = cloud
        cloud = make(_checked(cloud.Params, values or {}, name)) if hasattr(cloud, "Params") else make()
    if dim not in cloud.dims:
        raise ConfigError(f"initial cloud {name!r} has dimension {_either(cloud.dims)}, not {dim}", "change --dim")
    return name, cloud


def pose(options: JsonDict) -> Problem:
    """The problem that ``options`` describe: fields of `SimulateConfig`, and parameters of the flow, the kernel
    and the initial cloud by name.

    Raises `ConfigError` for an unknown name, a dimension that a component lacks, or a value out of range.
    """
    given = {name: value for name, value in options.items() if value is not None}
    flow_name, flow = load("flow", given.pop("flow", "none"))
    chemistry_name, chemistry = load("chemistry", given.pop("chemistry", "elliptic"))
    kernel_name, kernel = load("kernel", given.pop("kernel", chemistry.kernel))
    dim = _dimension(given.pop("dim", None), flow_name, flow.dims, kernel_name, dims_of(kernel))
    scheme_name, scheme = load("scheme", given.pop("scheme", "euler"))
    init_name, law = _law(given.pop("init", SimulateConfig.model_fields["init"].default))
    c0 = given.pop("c0", SimulateConfig.model_fields["c0"].default)
    extra = {name: given.pop(name) for name in list(given) if name not in SimulateConfig.model_fields}
    of_law = _fields(init_name, law) if isinstance(law, type) else {}
    fields = {
        "flow": _fields(flow_name, flow),
        "kernel": _fields(kernel_name, kernel),
        "chemistry": _fields(chemistry_name, chemistry),
    }
    owned = {f"flow {flow_name!r}": fields["flow"], f"kernel {kernel_name!r}": fields["kernel"]}
    owned[f"chemistry {chemistry_name!r}"] = fields["chemistry"]
    _require_one_owner(
        extra, owned | {f"initial cloud {init_name!r}": of_law}, (flow_name, kernel_name, init_name, chemistry_name)
    )
    init_params = _single(_table("init_params", given.pop("init_params", {}), "initial cloud", of_law) | extra, of_law)
    _, initial = initial_cloud(law if isinstance(law, StoredCloud) else init_name, dim, init_params)
    held = _contents({flow_name: flow, kernel_name: kernel, init_name: initial, scheme_name: scheme})
    held |= _contents({chemistry_name: chemistry})
    chosen: dict[str, dict[str, tuple[float, ...]]] = {}
    for part, names in fields.items():
        stored = _table(f"{part}_params", given.pop(f"{part}_params", {}), part, names)
        chosen[part] = {
            name: sweep(extra[name] if name in extra else stored.get(name, names[name].default)) for name in names
        }
    begin = beginning(c0)
    if isinstance(begin, StoredField) and len(begin.axes) != dim:
        raise ConfigError(f"c of {begin.path} is in {len(begin.axes)} dimensions, not {dim}", "change --dim or --c0")
    if not chemistry.memory and begin != "zero":
        raise ConfigError(f"c0 for chemistry {chemistry_name!r}, which has no memory", "use --chemistry parabolic")
    if isinstance(initial, StoredCloud):
        given.setdefault("t0", initial.t)
    config = build(
        SimulateConfig,
        given
        | {"flow": flow_name, "kernel": kernel_name, "dim": dim, "init": init_name}
        | {"scheme": scheme_name.removeprefix("ksdp:")}  # as it was stored before there were others
        | {"flow_params": chosen["flow"], "kernel_params": chosen["kernel"], "init_params": init_params}
        | {"chemistry": chemistry_name, "chemistry_params": chosen["chemistry"], "c0": getattr(c0, "path", c0)},
    )
    cases = _cases(config, flow, kernel, chemistry)
    for case in cases:
        own_chemical(init_name, initial, case, begin)
    units = PHYSICAL_UNITS | {
        name: field.description or name for names in fields.values() for name, field in names.items()
    }
    if SEED in config.swept():
        units[SEED] = "seed of the initial cloud and of the Brownian paths"
    return Problem(config, cases, kernel, initial, units, scheme, chemistry, held, begin)


def chemical_at_start(problem: Problem, case: Case) -> str | Field:
    """c_0 of a case: a word or a function of the coordinates."""
    return own_chemical(problem.config.init, problem.initial, case, problem.c0)


def own_chemical(name: str, initial: InitialCloud, case: Case, c0: str | Field) -> str | Field:
    """``c0``, or where that is "exact" what the initial cloud says of its chemical. Raises `ConfigError` where it says
    none, or none for this case."""
    if not (isinstance(c0, str) and c0 == "exact"):
        return c0
    if not hasattr(initial, "chemical"):
        raise ConfigError(
            f"c0 = 'exact' for initial cloud {name!r}, which knows no chemical", "use --init self_similar"
        )
    values = case.chemistry_params.model_dump() if case.chemistry_params else {}
    c: Field = initial.chemical(case.mu, case.chi, case.mass, values.get("eps", 0.0), values.get("k", 0.0))
    return c


def _law(given: object) -> tuple[str, InitialCloud | type[InitialCloud]]:
    """Name and class of an initial cloud, or the instance that is given."""
    return (given.path, given) if isinstance(given, StoredCloud) else load("initial cloud", given)


def _single(given: JsonDict, fields: JsonDict) -> dict[str, float | str]:
    """The parameters of a law that are not its defaults. Raises `ConfigError` for a sweep: a store has one law."""
    values: dict[str, float | str] = {}
    for name in [name for name in fields if name in given]:
        try:
            values[name] = str(given[name]) if isinstance(fields[name].default, str) else parsing.number(given[name])
        except ConfigError as error:
            hint = "one number; a store has one initial cloud, so that its parameters are not swept"
            raise ConfigError(f"--{name.replace('_', '-')}: {error.message}", hint) from None
    return {name: value for name, value in values.items() if value != fields[name].default}


def _require_one_owner(extra: dict[str, object], fields: dict[str, dict[str, object]], names: tuple[str, ...]) -> None:
    """Raise `ConfigError` unless each parameter that is given by its name alone belongs to one component."""
    for name in extra:
        owners = [part for part in fields if name in fields[part]]
        if not owners:
            raise _no_such_parameter(name, names, fields)
        if len(owners) > 1:
            raise ConfigError(f"{' and '.join(owners)} both have a parameter {name!r}", "set it in a table of --config")


def _table(key: str, table: object, part: str, names: dict[str, object]) -> JsonDict:
    """A table of parameters out of a configuration. Raises `ConfigError` unless it is one, of names that there are."""
    if not isinstance(table, dict):
        raise ConfigError(f"{key} = {table!r} is no table", f"write it as [{key}] with NAME = VALUE below")
    for name in table:
        if name not in names:
            error = unknown_name(str(name), list(names))
            near = error.hint if names else f"this {part} has no parameters"
            raise ConfigError(f"[{key}] has {name!r}, which is no parameter of the {part}", near)
    return table


def _contents(components: dict[str, object]) -> dict[str, str]:
    """By name, the digest of each that is not ksdp's own; of what cannot be told from others, a word used once."""
    read = {n: c for n, c in components.items() if not n.startswith("ksdp:") or hasattr(c, "digest")}
    theirs = {n: c for n, c in read.items() if not isinstance(c, StoredCloud)}
    return {name: contents(one) or f"not known ({secrets.token_hex(4)})" for name, one in theirs.items()}


def _cases(
    config: SimulateConfig, flow: Flow | type[Flow], kernel: type[Kernel], chemistry: type[Chemistry]
) -> list[Case]:
    rows = config.cases()
    seeds = [int(row.get(SEED, config.seeds[0])) for row in rows]
    fixed = {name: values[0] for name, values in config.parameters().items()}
    cases = []
    for number, (values, seed, stream) in enumerate(zip(rows, seeds, streams(seeds), strict=True)):
        p = fixed | values
        flow_params = _checked(flow.Params, {name: p[name] for name in config.flow_params}, config.flow)
        kernel_params = _checked(kernel.Params, {name: p[name] for name in config.kernel_params}, config.kernel)
        own = {name: p[name] for name in config.chemistry_params}
        chemistry_params = _checked(chemistry.Params, own, config.chemistry)
        args = (p["delta2"], *(float(value) for value in kernel_params.model_dump().values()))
        field = _made(flow, flow_params, config)
        cases.append(Case(values, p["mu"], p["chi"], p["M"], field, args, number, chemistry_params, seed, stream))
    return cases


def _made(flow: Flow | type[Flow], parameters: BaseModel, config: SimulateConfig) -> Flow:
    """The flow of a case, tried at one point, so that a fault of a stranger's code is told as what it is."""
    try:
        field = flow(parameters, config.dim) if isinstance(flow, type) else flow
        field.velocity(np.full((1, config.dim), 0.5, config.dtype), config.t0)
    except KsdpError:
        raise
    except Exception as error:
        told = f"flow {config.flow!r} fails: {type(error).__name__}: {error}"
        raise ConfigError(told, "ksdp_cli.testing.check_flow checks a flow") from error
    return field


def _checked(model: type[BaseModel], values: Mapping[str, object], owner: str) -> BaseModel:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError(f"{owner}: {first_error(error)}", _shows(owner)) from None


def _shows(*owners: str) -> str | None:
    """The command that lists parameters, for the owners that have a name to ask by."""
    known = {entry.long_name for entry in plugins.registry().entries}
    commands = [f"'ksdp plugins show {owner}'" for owner in owners if owner in known]
    return f"see {' and '.join(commands)}" if commands else None


def _fields(owner: str, component: object) -> JsonDict:
    """The fields of a component's parameters; a law of initial particles may have none."""
    fields = dict(component.Params.model_fields) if hasattr(component, "Params") else {}
    taken = [name for name in fields if name in SimulateConfig.model_fields]
    if taken:
        raise ConfigError(f"{owner} has a parameter {taken[0]!r}, which equation (8) has itself", "rename it in Params")
    return fields


def _dimension(asked: object, flow: str, flow_dims: tuple[int, ...], kernel: str, kernel_dims: tuple[int, ...]) -> int:
    """The dimension asked for, or the lowest that the flow and the kernel share."""
    shared = [d for d in flow_dims if d in kernel_dims]
    if asked is None:
        if not shared:
            raise ConfigError(
                f"flow {flow!r} has dimension {_either(flow_dims)}, kernel {kernel!r} {_either(kernel_dims)}"
            )
        return shared[0]
    try:
        dim = int(str(asked))
    except ValueError:
        raise ConfigError(f"--dim {asked!r} is not a whole number", "give 2 or 3") from None
    for kind, name, dims in (("flow", flow, flow_dims), ("kernel", kernel, kernel_dims)):
        if dim not in dims:
            raise ConfigError(f"{kind} {name!r} has dimension {_either(dims)}, not {dim}", f"use --dim {dims[0]}")
    return dim


def _either(dims: tuple[int, ...]) -> str:
    return " or ".join(str(d) for d in dims) or "none"


def _no_such_parameter(name: str, owners: tuple[str, ...], fields: dict[str, dict[str, object]]) -> ConfigError:
    own = [name for names in fields.values() for name in names]
    known = [*SimulateConfig.model_fields, *own]
    error = unknown_name(name, known)
    place = "parameters: " + ", ".join(f"{part} has {', '.join(names) or 'none'}" for part, names in fields.items())
    near = error.hint if "mean" in (error.hint or "") else place
    with_some = [owner for owner, names in zip(owners, fields.values(), strict=True) if names]
    return ConfigError(error.message, "; ".join(filter(None, (near, _shows(*with_some)))))


def drift_prefactor(case: Case, particles: int) -> float:
    """chi M / J of equation (8)."""
    return case.chi * case.mass / particles


def diffusion(case: Case, dt: float) -> float:
    """sqrt(2 mu dt), the standard deviation of one Brownian step."""
    return math.sqrt(2.0 * case.mu * dt)
