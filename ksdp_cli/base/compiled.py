"""Numba's ``njit``, with a cache that many processes may fill at once and that need not be there at all.

All compiled code is in one folder (`cache_folder`); one that cannot be written is read. A file's name holds a digest of
all sources beside the function's, which it may inline, so that versions of ksdp do not overwrite each other's. Numba by
itself would look at one source alone, refuse read-only folders, lose the run where the disk is full, and let two
processes that compile one function for two types at one moment write both under one name.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, overload

from . import compiling
from .cache_folder import cache_folder, filled_folder
from .memory import require_address_space

require_address_space()
import numba  # noqa: E402
from numba.core import caching, ccallback, event  # noqa: E402

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


#: For a function whose sums may be taken in any order.
FAST = {"nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc"}
#: Options of what Python calls, and of fast loops that compiled functions alone call. They are few and the same in all
#: modules: Numba types NumPy's own functions anew for each set of options, which takes a second.
PLAIN: dict[str, object] = {"nogil": True, "cache": True, "error_model": "numpy"}
INNER: dict[str, object] = PLAIN | {"fastmath": FAST, "no_cpython_wrapper": True}


_log = logging.getLogger("ksdp")
P = ParamSpec("P")
R = TypeVar("R")


@overload
def njit(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def njit(**options: object) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def njit(
    function: Callable[P, R] | None = None, /, **options: object
) -> Callable[P, R] | Callable[[Callable[P, R]], Callable[P, R]]:
    """`numba.njit`, as ``@njit`` and as ``@njit(cache=True, ...)``; to a type checker the function stays as it is.

    It has no wrapper for callers in C: what is called by its address is a `numba.cfunc`.
    """
    options.setdefault("no_cfunc_wrapper", True)
    if function is not None:
        return _compiled(function, options)
    return lambda function: _compiled(function, options)


def cfunc(signature: Any, **options: object) -> Callable[[Callable[..., Any]], Any]:
    """`numba.cfunc` with our cache: a function that compiled code is given the address of, compiled at once."""

    def compiled(function: Callable[..., Any]) -> Any:
        made: Any = ccallback.CFunc(function, (signature.args, signature.return_type), {}, options)
        made._cache = _Kept(function)
        made.compile()
        return made

    return compiled


def _compiled(function: Callable[P, R], options: dict[str, object]) -> Callable[P, R]:
    kept = options.pop("cache", False) and "inline" not in options
    made: Any = numba.njit(**options)(function)
    if kept:
        made._cache = _Kept(function)
    return made  # type: ignore[no-any-return]


@functools.cache
def _sources(folder: Path) -> str:
    """A digest of all modules of a folder of ours and of `base`, which they may inline."""
    files = sorted({*folder.glob("*.py"), *Path(__file__).parent.glob("*.py")})
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


class _Locator:
    """Where Numba's cache keeps a function, and what of its sources decides."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        name = function.__module__
        # the text of a generated module decides its name
        self.stamp = name if name.startswith("ksdp_generated") else _sources(Path(file).parent) + name
        self.line = function.__code__.co_firstlineno

    from_function = classmethod(lambda cls, function, file: cls(function, file))

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return self.stamp

    def get_disambiguator(self) -> str:
        return f"{self.line}-{hashlib.sha256(self.stamp.encode()).hexdigest()[:12]}"

    def ensure_cache_path(self) -> None:
        """It is there."""


class _Impl(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _File(caching.IndexDataCacheFile):  # type: ignore[misc]
    """Saves a compilation, one process at a time. After a failure the next process compiles again."""

    filled: Any = None

    def load(self, key: Any) -> Any:
        found = super().load(key)
        return self.filled.load(key) if found is None and self.filled else found

    def save(self, key: Any, data: Any) -> None:
        with contextlib.suppress(OSError), _alone(Path(f"{self._index_path}.lock")):
            super().save(key, data)


class _Kept(caching.FunctionCache):  # type: ignore[misc]
    """The cache of one function, in our folder."""

    _impl_class = _Impl

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        base, stamp, filled = self._impl.filename_base, self._impl.locator.get_source_stamp(), filled_folder()
        self._cache_file = _File(self._cache_path, base, stamp)
        if filled:
            self._cache_file.filled = caching.IndexDataCacheFile(str(filled), base, stamp)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Within, no other process saves; where the system has no locks the worst is a compilation that is lost."""
    with lock.open("a") as handle:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class _Watch(event.Listener):  # type: ignore[misc]
    """Tells `compiling` of what Numba compiles, and does not load."""

    def __init__(self) -> None:
        self.depth = 0

    def on_start(self, event: Any) -> None:
        if self.depth == 0:
            function = event.data["dispatcher"].py_func
            _log.debug("ksdp: compiling %s of %s", function.__qualname__, function.__module__)
            compiling.begin(function.__module__)
        self.depth += 1

    def on_end(self, event: Any) -> None:
        self.depth -= 1
        if self.depth == 0:
            compiling.end()


event.register("numba:compile", _Watch())
