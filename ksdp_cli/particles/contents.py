"""A digest of a user's class or instance: of its code and of the values that it holds.

A name does not identify such an object: an instance may hold parameters, and the code of a class in a notebook may
change between two calls. A resumed run therefore compares digests.
"""

from __future__ import annotations

import dis
import hashlib
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel

if TYPE_CHECKING:
    from hashlib import _Hash

#: Largest depth of nested lists and attributes.
DEEPEST = 50
#: Flag of a class defined in Python (Py_TPFLAGS_HEAPTYPE).
HEAP = 1 << 9


class _Unknowable(Exception):
    """A value whose content cannot be read, so that it cannot be distinguished from another."""


def contents(component: object) -> str | None:
    """Digest (16 hexadecimal digits) of a class or an instance.

    It covers the code of the class and its bases, the plain values and functions that the code names, and the
    attributes, arrays included. None if an attribute cannot be read, for example an open file.
    """
    sha = hashlib.sha256()
    try:
        _add(sha, component, [])
    except (_Unknowable, RecursionError):
        return None
    return sha.hexdigest()[:16]


def _add(sha: _Hash, value: object, inside: list[int]) -> None:
    """Add ``value`` to the digest with a mark for its kind; ``inside`` are the ids of the objects that contain it."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, Path)):
        sha.update(f"{type(value).__name__}:{value!r};".encode("utf-8", "surrogatepass"))
        return
    if id(value) in inside:
        sha.update(f"again {inside.index(id(value))};".encode())
        return
    if len(inside) > DEEPEST:
        raise _Unknowable
    inside = [*inside, id(value)]
    if isinstance(value, (np.ndarray, np.generic)):
        _add_array(sha, np.asarray(value), inside)
    elif isinstance(value, (list, tuple)):
        sha.update(f"{type(value).__name__} {len(value)}:".encode())
        for one in value:
            _add(sha, one, inside)
    elif isinstance(value, (set, frozenset)):
        _add(sha, sorted(_digest(one, inside) for one in value), inside)
    elif isinstance(value, dict):
        sha.update(f"dict {len(value)}:".encode())
        for key, one in value.items():
            _add(sha, key, inside)
            _add(sha, one, inside)
    elif isinstance(value, (FunctionType, MethodType)):
        _add_function(sha, value, inside)
    elif isinstance(value, CodeType):
        _add_code(sha, value, inside)
    elif isinstance(value, partial):
        _add(sha, [value.func, value.args, value.keywords], inside)
    elif isinstance(value, (BuiltinFunctionType, np.ufunc)):
        sha.update(f"built in {getattr(value, '__module__', '')}:{value.__name__};".encode())
    elif isinstance(function := getattr(value, "py_func", None), FunctionType):  # by Numba
        _add_function(sha, function, inside)
    elif isinstance(value, ModuleType):
        sha.update(f"module {value.__name__} {getattr(value, '__version__', '')};".encode())
    elif isinstance(value, type):
        _add_class(sha, value, inside)
    else:
        _add_instance(sha, value, inside)


def _digest(value: object, inside: list[int]) -> str:
    sha = hashlib.sha256()
    _add(sha, value, inside)
    return sha.hexdigest()


def _add_array(sha: _Hash, array: np.ndarray, inside: list[int]) -> None:
    sha.update(f"array {array.dtype.str} {array.shape}:".encode())
    if array.dtype.hasobject:
        _add(sha, array.tolist(), inside)
    else:
        sha.update(np.ascontiguousarray(array).tobytes())


def _add_code(sha: _Hash, code: CodeType, inside: list[int]) -> None:
    """Add the instructions without line numbers, so that a comment does not change the digest."""
    sha.update(b"code:" + code.co_code)
    _add(sha, [code.co_names, code.co_varnames, code.co_freevars], inside)
    doc = code.co_consts[0] if code.co_consts and isinstance(code.co_consts[0], str) else None
    _add(sha, [one for one in code.co_consts if one is not doc], inside)


def _add_function(sha: _Hash, callee: FunctionType | MethodType, inside: list[int]) -> None:
    """Add code, defaults, closure, and the globals that the code uses."""
    function = callee
    while isinstance(function, MethodType):
        _add(sha, function.__self__, inside)
        inner: Any = function.__func__
        function = inner
    code = function.__code__
    _add(sha, [code, function.__defaults__, function.__kwdefaults__], inside)
    for cell in function.__closure__ or ():
        try:
            _add(sha, cell.cell_contents, inside)
        except ValueError:  # not filled yet
            sha.update(b"empty;")
    for name in _names(code):
        if name in function.__globals__:
            sha.update(f"global {name}:".encode())
            _add(sha, function.__globals__[name], inside)


def _names(code: CodeType) -> list[str]:
    """Names of globals that a code object and those nested in it use."""
    names = {str(one.argval) for one in dis.get_instructions(code) if one.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    for one in code.co_consts:
        if isinstance(one, CodeType):
            names |= {*_names(one)}
    return sorted(names)


#: Attributes of a class that are neither code nor values of its author.
_ABOUT = {
    "__dict__",
    "__weakref__",
    "__doc__",
    "__module__",
    "__qualname__",
    "__firstlineno__",
    "__static_attributes__",
}
#: Prefixes of attributes that base classes and decorators write into a class.
_AUTO = ("_abc_", "__abstractmethods__", "__annot", "__dataclass", "__match_args__", "__parameters__", "__orig_bases__")
#: Packages whose classes are identified by name alone.
_FOREIGN = ("builtins", "typing", "abc", "numpy", "torch", "pydantic", "numba", "ksdp_cli")


def _add_class(sha: _Hash, cls: type, inside: list[int]) -> None:
    sha.update(f"class {cls.__module__}:{cls.__qualname__};".encode())
    if cls.__module__.partition(".")[0] in _FOREIGN or not cls.__flags__ & HEAP:
        return
    if issubclass(cls, BaseModel):
        _add(sha, {name: (str(f.annotation), repr(f.default)) for name, f in cls.model_fields.items()}, inside)
    for base in cls.__bases__:
        _add(sha, base, inside)
    for name, value in sorted(vars(cls).items()):
        for inner in ("__func__", "fget", "func", "__wrapped__"):  # static and class methods, properties, decorators
            value = getattr(value, inner, value) if not isinstance(value, (FunctionType, type)) else value
        skip = name in _ABOUT or type(value).__name__ in ("member_descriptor", "getset_descriptor")
        if issubclass(cls, BaseModel):  # apart from methods, everything in it is Pydantic's
            skip = skip or name.startswith("__") or not isinstance(value, FunctionType)
        if not skip and (isinstance(value, FunctionType) or not name.startswith(_AUTO)):
            sha.update(f"{name}=".encode())
            _add(sha, value, inside)


def _add_instance(sha: _Hash, value: object, inside: list[int]) -> None:
    """Add class and attributes, without cached properties, which follow from the others."""
    cls = type(value)
    _add_class(sha, cls, inside)
    if isinstance(value, BaseModel):
        _add(sha, value.model_dump(), inside)
        return
    if hasattr(value, "detach") and hasattr(value, "numpy"):  # a tensor
        _add(sha, value.detach().cpu().numpy(), inside)
        return
    if isinstance(value, np.random.Generator):
        _add(sha, value.bit_generator.state, inside)
        return
    slots = [name for base in cls.__mro__ for name in _listed(base.__dict__.get("__slots__", ()))]
    attributes = dict(getattr(value, "__dict__", {})) | {
        name: getattr(value, name) for name in slots if hasattr(value, name)
    }
    if not _plain(cls):
        raise _Unknowable
    for name, one in sorted(attributes.items()):
        if type(getattr(cls, name, None)).__name__ != "cached_property":
            sha.update(f"{name}=".encode())
            _add(sha, one, inside)


def _listed(slots: str | Iterable[str]) -> list[str]:
    return [slots] if isinstance(slots, str) else [name for name in slots if name not in ("__dict__", "__weakref__")]


def _plain(cls: type) -> bool:
    """Whether Python attributes are all that an instance can hold."""
    return all(base is object or base.__flags__ & HEAP for base in cls.__mro__)
