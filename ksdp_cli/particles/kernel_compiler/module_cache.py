"""Import of generated source from files named by their content, so that Numba's disk cache finds them again."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import sys
import threading
import types
from importlib.metadata import version
from pathlib import Path

from ...base.cache_folder import cache_folder
from ...base.disk import leftovers, put

_import_lock = threading.Lock()


@functools.cache
def _stamp() -> str:
    """A comment with the versions on which compiled code depends, since Numba's cache only checks the module's text."""
    from ...plugins import own_version

    library = hashlib.sha256(Path(__file__).with_name("fast_math.py").read_bytes()).hexdigest()[:16]
    return f"# ksdp {own_version()}, numba {version('numba')}, fast_math {library}\n"


def import_text(text: str, stem: str) -> types.ModuleType:
    """Import generated source from the cache folder; equal texts give the same module."""
    text = _stamp() + text
    name = f"ksdp_generated_{stem}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    with _import_lock:
        if name in sys.modules:
            return sys.modules[name]
        file = cache_folder() / f"{name}.py"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            for left in leftovers(file.parent):
                left.unlink(missing_ok=True)
            put(file, text.encode())  # atomic, since two processes may write it at once
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
        return module
