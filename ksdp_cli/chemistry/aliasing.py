"""Aliasing error of the particle mesh: the gradient by splines against the exact sum over the modes."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..particles.mesh.modes import Box, Modes
from ..particles.mesh.nested import Nested
from ..particles.mesh.shared import applied

#: The measurement uses at most `SAMPLE` particles and `TERMS` terms in all their sums.
SAMPLE, TERMS = 256, 1 << 26
#: Rounding of the exact sum over its largest value.
ROUNDING = 1e-13


def aliasing_error(nested: Nested, field: list[Modes], axes: Sequence[NDArray[np.floating]]) -> float:
    """Relative l2 error of the gradient, estimated at up to `SAMPLE` particles.

    ``axes`` holds the coordinates of all particles, (J,) an axis; every n-th particle is measured. The result is twice
    the error of interpolation, because the deposit is its transpose and has the same error.
    """
    terms = sum(modes.size for modes in field)
    count = max(16, min(SAMPLE, TERMS // terms, axes[0].size))
    some = [np.ascontiguousarray(axis[:: max(1, axis.size // count)][:count], np.float64) for axis in axes]
    pairs = list(zip(nested.boxes, field, strict=True))
    exact = sum(exact_gradient(box, modes, some) for box, modes in pairs)
    size = float(np.linalg.norm(exact))
    if size <= ROUNDING * math.sqrt(count) * sum(_largest(box, modes) for box, modes in pairs):
        return 0.0  # of one particle, or of all at one point, whose forces cancel
    return 2.0 * float(np.linalg.norm(nested.at(field, some)[1] - exact)) / size


def _largest(box: Box, modes: Modes) -> float:
    """A bound on the gradient of one box's part of the field: the sum of |q alpha_q|."""
    return 2.0 * float((np.abs(box.part(modes)) * np.sqrt(box.q2)).sum())


def exact_gradient(box: Box, modes: Modes, axes: Sequence[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Gradient (d, n) at ``axes`` of one box's part of the field: the sum over all modes, one axis at a time."""
    waves = [np.exp(1j * np.outer(q.ravel(), axis - low)) for q, axis, low in zip(box.q, axes, box.low, strict=True)]
    waves[-1] *= np.where(np.arange(len(waves[-1])) > 0, 2.0, 1.0)[:, None]
    slopes = [1j * q.ravel()[:, None] * wave for q, wave in zip(box.q, waves, strict=True)]
    part = box.part(modes)
    gradient = np.empty((box.dim, axes[0].size))
    for along in range(box.dim):
        last = slopes[-1] if along == box.dim - 1 else waves[-1]
        left: NDArray[np.complex128] = applied(last.T, part, box.dim - 1)
        for axis in reversed(range(box.dim - 1)):
            left = np.einsum("...qn,qn->...n", left, slopes[axis] if axis == along else waves[axis])
        gradient[along] = left.real
    return gradient
