"""Numba's ``njit`` with a cache that several processes may fill at once and that may be missing.

All compiled code lies in one folder (`cache_folder`); a read-only folder is read. A file's name holds a digest of all
sources in the function's folder, since it may inline them, and of Numba's version; so versions do not overwrite each
other's files. Numba's own cache looks at one source only, refuses read-only folders, stops the run when the disk is
full and for a file that a crash has cut short, keeps what a killed process was writing, and lets two processes that
compile one function for two types write to the same name.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import glob
import hashlib
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, overload

from . import compiling
from .cache_folder import cache_folder, filled_folder
from .memory import require_address_space

require_address_space()
import numba  # noqa: E402
from numba.core import caching, ccallback, event  # noqa: E402
from numba.core.typing import Signature  # noqa: E402

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]


#: For functions whose sums may be reordered.
FAST = {"nnan", "ninf", "nsz", "arcp", "contract", "afn", "reassoc"}
#: Options of functions called from Python, and of fast loops called only from compiled functions. All modules share
#: them: Numba compiles NumPy's own functions again for each set of options, about 1 s each.
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
    """`numba.njit`, as ``@njit`` and as ``@njit(cache=True, ...)``; a type checker sees the function's own type.

    It makes no wrapper for C callers: use `cfunc` for a function that is called by its address.
    """
    options.setdefault("no_cfunc_wrapper", True)
    if function is not None:
        return _njit(function, options)
    return lambda function: _njit(function, options)


def cfunc(signature: Signature, **options: object) -> Callable[[Callable[..., object]], ccallback.CFunc]:
    """`numba.cfunc` with our cache: compiles at once a function that other compiled code calls by its address."""

    def decorate(function: Callable[..., object]) -> ccallback.CFunc:
        result = ccallback.CFunc(function, (signature.args, signature.return_type), {}, options)
        result._cache = _FunctionCache(function)  # type: ignore[attr-defined]
        result.compile()
        return result

    return decorate


def _njit(function: Callable[P, R], options: dict[str, object]) -> Callable[P, R]:
    cache = options.pop("cache", False) and "inline" not in options
    result: Any = numba.njit(**options)(function)
    if cache:
        result._cache = _FunctionCache(function)
    return result  # type: ignore[no-any-return]


@functools.cache
def _sources(folder: Path) -> str:
    """Return a digest of all modules in ``folder`` and in `base`, which a function may inline."""
    files = sorted({*folder.glob("*.py"), *Path(__file__).parent.glob("*.py")})
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


class _Locator:
    """Tells Numba's cache the folder of a function and the stamp of its sources."""

    def __init__(self, function: FunctionType, file: str) -> None:
        name = function.__module__
        # the name of a generated module already depends on its text
        self.stamp = name if name.startswith("ksdp_generated") else _sources(Path(file).parent) + name
        self.line = function.__code__.co_firstlineno

    from_function = classmethod(lambda cls, function, file: cls(function, file))

    def get_cache_path(self) -> str:
        return str(cache_folder())

    def get_source_stamp(self) -> str:
        return self.stamp

    def get_disambiguator(self) -> str:
        return f"{self.line}-{hashlib.sha256(f'{numba.__version__} {self.stamp}'.encode()).hexdigest()[:12]}"

    def ensure_cache_path(self) -> None:
        """Do nothing: `cache_folder` has created it."""


class _Impl(caching.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Locator,)


class _File(caching.IndexDataCacheFile):  # type: ignore[misc]
    """Saves compiled code, one process at a time. After a failure, and for a damaged file, the next process compiles
    again."""

    filled: Any = None

    def load(self, key: object) -> object:
        code = super().load(key)
        return self.filled.load(key) if code is None and self.filled else code

    def save(self, key: object, data: object) -> None:
        with contextlib.suppress(OSError), _alone(Path(f"{self._index_path}.lock")):
            if fcntl:  # alone: these are of killed processes
                for file in Path(self._cache_path).glob(f"{glob.escape(self._index_name[:-3])}*.tmp.*"):
                    file.unlink(missing_ok=True)
            super().save(key, data)

    def _load_index(self) -> object:
        try:
            return super()._load_index()
        except OSError:
            raise
        except Exception:  # pickle raises many types for a damaged file
            return {}

    def _load_data(self, name: str) -> object:
        try:
            return super()._load_data(name)
        except OSError:
            raise
        except Exception as error:
            raise OSError(f"{name} is damaged ({error})") from error  # which `load` takes for a missing file


class _FunctionCache(caching.FunctionCache):  # type: ignore[misc]
    """The cache of one function in `cache_folder`."""

    _impl_class = _Impl

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__(function)
        base, stamp, folder = self._impl.filename_base, self._impl.locator.get_source_stamp(), filled_folder()
        self._cache_file = _File(self._cache_path, base, stamp)
        if folder:
            self._cache_file.filled = _File(str(folder), base, stamp)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Let no other process save in the block; without locks (Windows) compiled code may be lost, nothing worse."""
    with lock.open("a") as handle:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


class _Watch(event.Listener):  # type: ignore[misc]
    """Reports to `compiling` each function that Numba compiles rather than loads.

    Garbage collection is off while Numba compiles: it took a sixth of the time and frees little. Afterwards all objects
    are moved to the oldest generation, so that the next collections do not visit each; up to 70 MB of garbage stay
    until the next full one. Numba holds its compiler lock throughout, so no two threads are in here.
    """

    def __init__(self) -> None:
        self.depth = 0
        self.collects = False

    def on_start(self, event: event.Event) -> None:
        self.depth += 1  # first: Numba calls `on_end` even if this raises, as `compiling.tell` or Ctrl-C may
        if self.depth == 1:
            function = event.data["dispatcher"].py_func
            _log.debug("ksdp: compiling %s of %s", function.__qualname__, function.__module__)
            compiling.begin(function.__module__)
            self.collects = gc.isenabled()
            gc.disable()

    def on_end(self, event: event.Event) -> None:
        self.depth = max(self.depth - 1, 0)
        if self.depth:
            return
        collects, self.collects = self.collects, False
        try:
            compiling.end()
            if collects and gc.get_freeze_count() == 0:  # else somebody else's frozen objects would thaw
                gc.freeze()
                gc.unfreeze()
        finally:
            if collects:
                gc.enable()


event.register("numba:compile", _Watch())
