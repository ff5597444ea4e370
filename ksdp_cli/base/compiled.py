"""Numba's ``njit``, with a cache that many processes may fill at once and that need not be there at all.

Numba refuses to compile with ``cache=True`` where neither the package's folder nor the user's can be written, loses the
compilation where the disk is full, and lets two processes that compile one function for two types at one moment write
both under one name. Here the cache is then a temporary one, goes unsaved, or is written by one process at a time.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ParamSpec, TypeVar, overload

from .memory import require_address_space

require_address_space()
import numba  # noqa: E402

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


@functools.cache
def temporary_folder() -> Path:
    """One for the process, removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="ksdp-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _compiled(function: Callable[P, R], options: dict[str, object]) -> Callable[P, R]:
    try:
        made: Callable[P, R] = numba.njit(**options)(function)
    except RuntimeError as error:
        if "cannot cache" not in str(error):
            raise
        numba.config.CACHE_DIR = str(temporary_folder())
        made = numba.njit(**options)(function)
    file = getattr(getattr(made, "_cache", None), "_cache_file", None)
    if file is not None:
        file.save = functools.partial(_save, file.save, Path(f"{file._index_path}.lock"))
    return made


def _save(save: Callable[[object, object], None], lock: Path, key: object, data: object) -> None:
    """Save one compilation; where that fails the next process compiles again, and nothing else is lost."""
    with contextlib.suppress(OSError), _alone(lock):
        save(key, data)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """Within, no other process saves; where the system has no locks the worst is a compilation that is lost."""
    with lock.open("a") as handle:
        if fcntl:
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
