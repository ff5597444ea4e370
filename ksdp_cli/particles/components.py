"""Components of a problem by name: registered ones, and classes and instances of the user."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Literal, overload

from .. import plugins
from ..chemistry.base import Chemistry
from ..errors import ConfigError
from ..flows.base import Flow
from ..initial.base import InitialCloud
from ..initial.stored import StoredCloud
from ..kernels.base import Kernel
from ..registry import require_contract
from . import own
from .contents import contents
from .parameters import checked, fields_of, table_of
from .schemes.base import Scheme


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
    if isinstance(component, (list, tuple, dict)):
        raise ConfigError(f"{kind} = {component!r} is no name", "give one: a store has one, so make a store of each")
    name = own.name_of(component)
    require_contract(kind, name, component)
    own.remember(kind, component)
    return name, component


def law_of(law: object) -> tuple[str, InitialCloud | type[InitialCloud]]:
    """Name and class of the initial cloud ``law``, or its instance."""
    return (law.path, law) if isinstance(law, StoredCloud) else load("initial cloud", law)


def initial_cloud(law: object, dim: int, values: Mapping[str, object] | None = None) -> tuple[str, InitialCloud]:
    """Return name and instance of the initial cloud ``law``: a registered name, a class, an instance or a stored cloud.

    ``values`` are its parameters by name. Raises `ConfigError` for a parameter that it does not have, and for a
    dimension that it does not support.
    """
    name, cloud = law_of(law)
    fields = fields_of(name, cloud) if isinstance(cloud, type) else {}
    table_of("init_params", dict(values or {}), "initial cloud", fields)
    if isinstance(cloud, type):
        make: Callable[..., InitialCloud] = cloud
        cloud = make(checked(cloud.Params, values or {}, name)) if hasattr(cloud, "Params") else make()
    if dim not in cloud.dims:
        raise ConfigError(f"initial cloud {name!r} has dimension {either(cloud.dims)}, not {dim}", "change --dim")
    return name, cloud


def digests(components: Mapping[str, object]) -> dict[str, str]:
    """The digest of each component that does not ship with ksdp, by name; a unique text if there is no digest."""
    external = {n: c for n, c in components.items() if not n.startswith("ksdp:") or hasattr(c, "digest")}
    code = {n: c for n, c in external.items() if not isinstance(c, StoredCloud)}
    return {name: contents(one) or f"not known ({secrets.token_hex(4)})" for name, one in code.items()}


def either(dims: tuple[int, ...]) -> str:
    """``2 or 3`` for a message."""
    return " or ".join(str(d) for d in dims) or "none"
