"""Transfer of a field between sets of boxes, for a cloud that has outgrown its boxes and for an initial chemical.

A field that vanishes at the edge of its window has a Fourier transform at every q, not only at the window's modes. On
each axis, the mode q of a window of side L contributes (L / L') sinc((q - q') L / 2 pi) exp(..) to the mode q' of a box
of side L'.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft
from scipy.special import erfc

from ...errors import ConfigError
from .modes import Box, Modes, along, spectrum
from .nested import Nested
from .shared import applied

Field = Callable[[Sequence[NDArray[np.float64]]], NDArray[np.float64]]
#: Samples an axis of a piece of a given field; its window is 1 up to the first and 0 from the second distance [side].
SAMPLES, SMOOTH = {2: 512, 3: 160}, (0.25, 0.5)
#: Largest relative part of the mass of a given field that the boxes may miss: the edge of a stored grid may hold some.
LOST = 0.02


@dataclass(frozen=True)
class Piece:
    """A field in a window from ``low`` (d,) of side ``side``: its modes (n,) * d, as `numpy.fft.fftn` orders them."""

    low: NDArray[np.float64]
    side: float
    modes: Modes


def piece_of(box: Box, modes: Modes) -> Piece:
    """The share of a box in the field, without smoothing over delta."""
    shape = [box.count] * box.dim
    whole = fft.fftn(fft.irfftn(modes * box.band, s=shape, workers=box.splines.threads), workers=box.splines.threads)
    return Piece(box.low, box.side, whole)


def pieces_of(field: Field, boxes: Sequence[Box]) -> list[Piece]:
    """Split a function of the coordinates smoothly into one piece for each box; 0 outside the last box."""
    pieces, before = [], None
    for box in boxes:
        n = max(SAMPLES[box.dim], 2 * box.count)
        points = [corner + box.side / n * np.arange(n) for corner in box.low]
        spread = np.meshgrid(*points, indexing="ij")
        share = _window(points, box)
        pieces.append(
            Piece(
                box.low,
                box.side,
                fft.fftn(field(spread) * (share if before is None else share - _window(points, before))) / n**box.dim,
            )
        )
        before = box
    return pieces


def modes_of(field: Field, nested: Nested) -> list[Modes]:
    """Modes of a function of the coordinates in the boxes of ``nested``.

    Raises `ConfigError` unless they hold its mass, where it has that as an attribute ``mass``.
    """
    if nested.periodic:
        modes = [periodic_modes(field, nested.boxes[0])]
    else:
        pieces = pieces_of(field, nested.boxes)
        modes = [carried(pieces, box) for box in nested.boxes]
    held = nested.mass(modes)
    mass = float(getattr(field, "mass", held))
    if abs(held - mass) > LOST * abs(mass):
        raise ConfigError(
            f"c0 has the mass {mass:.4g}, and the mesh holds {held:.4g}: c0 is too narrow for its points, or too wide",
            "change c0, or --modes, --box or --boxes",
        )
    return modes


def periodic_modes(field: Field, box: Box) -> Modes:
    """Modes of a function of the coordinates in a periodic box."""
    n = max(SAMPLES[box.dim], 2 * box.count)
    points = [corner + box.side / n * np.arange(n) for corner in box.low]
    modes = spectrum(field(np.meshgrid(*points, indexing="ij")), box.count, box.splines.threads)
    return np.asarray(modes / n**box.dim)


def _window(points: Sequence[NDArray[np.float64]], box: Box) -> NDArray[np.float64]:
    """1 in the middle of a box, 0 at its edge and beyond."""
    product = np.ones([1] * box.dim)
    for axis, (x, corner) in enumerate(zip(points, box.low, strict=True)):
        away = np.abs(x - corner - box.side / 2) / box.side
        step = 0.5 * erfc(6.0 * ((away - SMOOTH[0]) / (SMOOTH[1] - SMOOTH[0]) - 0.5))
        product = product * along(np.where(away < SMOOTH[1], step, 0.0), axis, box.dim)
    return product


def carried(pieces: Sequence[Piece], box: Box) -> Modes:
    """Modes in ``box`` of the sum of the pieces."""
    total = box.zeros()
    for piece in pieces:
        n, modes = piece.modes.shape[0], piece.modes
        old = 2 * math.pi / piece.side * np.fft.fftfreq(n, 1 / n)
        for axis in range(box.dim):
            new = box.q[axis].ravel()[:, None]
            away = old[None, :] - new
            phase = np.exp(0.5j * away * piece.side - 1j * new * (piece.low[axis] - box.low[axis]))
            modes = applied(phase * np.sinc(away * piece.side / (2 * math.pi)), modes, axis)
        total += modes * (piece.side / box.side) ** box.dim
    return total
