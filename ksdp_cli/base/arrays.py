"""One formula for arrays and tensors."""

from __future__ import annotations

import sys
from typing import Any, TypeAlias

#: An array of NumPy's or a tensor of torch's, in formulas that are written once for both. No type covers the two: their
#: operators are annotated in incompatible ways.
Array: TypeAlias = Any


def namespace(x: Array) -> Any:
    """``torch`` for a tensor, ``numpy`` for anything else: write ``xp.exp(...)`` once, run on every device."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.Tensor):
        return torch
    import numpy

    return numpy
