"""Import optional libraries; each is an extra of the package."""

from __future__ import annotations

import importlib
from types import ModuleType

from ..errors import ResourceError


def library(name: str, purpose: str, extra: str = "export") -> ModuleType:
    """Import the module ``name``. Raises `ResourceError` with the command that installs it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ResourceError(f"{purpose} needs {name}: {error}", f"pip install 'ksdp[{extra}]'") from None
