"""Write one formula for NumPy arrays and torch tensors."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any, TypeAlias

#: A NumPy array or a torch tensor, in formulas written once for both. No common type exists: the two libraries annotate
#: their operators in incompatible ways.
Array: TypeAlias = Any


def namespace(x: Array) -> ModuleType:
    """Return ``torch`` for a tensor, ``numpy`` for anything else: ``xp.exp(...)`` then runs on every device."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.Tensor):
        return torch
    import numpy

    return numpy
