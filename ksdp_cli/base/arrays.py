"""One formula for arrays and tensors."""

from __future__ import annotations

import sys
from typing import Any


def namespace(x: Any) -> Any:
    """``torch`` for a tensor, ``numpy`` for anything else: write ``xp.exp(...)`` once, run on every device."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(x, torch.Tensor):
        return torch
    import numpy

    return numpy
