"""Write one formula for NumPy arrays and torch tensors."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

#: A NumPy array or a torch tensor, in formulas written once for both: what comes in decides what goes out.
Array = TypeVar("Array", "NDArray[np.floating]", "Tensor")


def namespace(x: Array) -> ModuleType:
    """Return ``torch`` for a tensor, ``numpy`` for anything else: ``xp.exp(...)`` then runs on every device."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.Tensor):
        return torch
    import numpy

    return numpy
