"""The vectorisable functions against the library's, over the range that they promise."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from scipy.special import erf

from ksdp_cli.particles.kernel_compiler import fast_math

WIDE = np.linspace(-80, 80, 40_001)
CASES = [
    ("log32", np.log, np.exp(WIDE), lambda x, y: 1.5e-7 * np.maximum(1, np.abs(y))),
    ("log64", np.log, np.exp(WIDE), lambda x, y: 3e-16 * np.maximum(1, np.abs(y))),
    ("exp32", np.exp, WIDE, lambda x, y: 1.5e-7 * y * (1 + np.abs(x) / 8)),
    ("exp64", np.exp, WIDE, lambda x, y: 4e-16 * y * (1 + np.abs(x) / 8)),
    ("erf32", erf, np.r_[np.linspace(-7, 7, 40_001), np.geomspace(1e-10, 1, 9999)], lambda x, y: 3e-7 * np.abs(y)),
    ("erf64", erf, np.r_[np.linspace(-7, 7, 40_001), np.geomspace(1e-10, 1, 9999)], lambda x, y: 2e-15 * np.abs(y)),
]


@pytest.mark.parametrize(("name", "reference", "x", "bound"), CASES, ids=[case[0] for case in CASES])
def test_error_is_within_the_documented_bound(name: str, reference, x: np.ndarray, bound) -> None:
    function = getattr(fast_math, name)

    @njit(fastmath=fast_math.FAST, error_model="numpy")
    def loop(x, out):  # type: ignore[no-untyped-def]
        for i in range(x.size):
            out[i] = function(x[i])

    x = x.astype(f"float{name[-2:]}")
    out = np.empty_like(x)
    loop(x, out)
    exact = reference(x.astype(np.float64))
    assert (np.abs(out - exact) <= bound(x, exact) + 1e-300).all()
