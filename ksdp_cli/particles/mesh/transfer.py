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
#: Most entries of a matrix between the modes of two boxes along an axis.
LARGE = 1 << 22


@dataclass(frozen=True)
class Piece:
    """A field in a window from ``low`` (d,) of side ``side`` times ``stretch`` (d,): its modes (n, ..), as
    `numpy.fft.fftn` orders them."""

    low: NDArray[np.float64]
    side: float
    modes: Modes
    stretch: tuple[int, ...]


def piece_of(box: Box, modes: Modes) -> Piece:
    """The share of a box in the field, without smoothing over delta."""
    threads = box.splines.threads
    grid = fft.irfftn(modes * box.band, s=box.counts, workers=threads)
    return Piece(box.low, box.side, fft.fftn(grid, workers=threads), box.stretch)


def pieces_of(field: Field, boxes: Sequence[Box]) -> list[Piece]:
    """Split a function of the coordinates smoothly into one piece for each box; 0 outside the last box."""
    pieces, before = [], None
    for box in boxes:
        n = max(SAMPLES[box.dim], 2 * box.count)
        points = [corner + box.side / n * np.arange(m) for corner, m in zip(box.low, box.shape(n), strict=True)]
        spread = np.meshgrid(*points, indexing="ij")
        share = _window(points, box)
        values = field(spread) * (share if before is None else share - _window(points, before))
        pieces.append(Piece(box.low, box.side, fft.fftn(values) / values.size, box.stretch))
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
    modes = spectrum(field(np.meshgrid(*points, indexing="ij")), box.counts, box.splines.threads)
    return np.asarray(modes / n**box.dim)


def _window(points: Sequence[NDArray[np.float64]], box: Box) -> NDArray[np.float64]:
    """1 in the middle of a box, 0 at its edge and beyond."""
    product = np.ones([1] * box.dim)
    for axis, (x, corner, stretch) in enumerate(zip(points, box.low, box.stretch, strict=True)):
        away = np.abs(x - corner - box.sides[axis] / 2) / box.side - (stretch - 1) / 2
        step = 0.5 * erfc(6.0 * ((away - SMOOTH[0]) / (SMOOTH[1] - SMOOTH[0]) - 0.5))
        product = product * along(np.where(away < SMOOTH[1], step, 0.0), axis, box.dim)
    return product


def carried(pieces: Sequence[Piece], box: Box) -> Modes:
    """Modes in ``box`` of the sum of the pieces."""
    total = box.zeros()
    for piece in pieces:
        modes = piece.modes
        for axis in range(box.dim):
            modes = _along_axis(piece, modes, box, axis)
        total += modes * ((piece.side / box.side) ** box.dim * (math.prod(piece.stretch) / math.prod(box.stretch)))
    return total


def _along_axis(piece: Piece, modes: Modes, box: Box, axis: int) -> Modes:
    """``modes`` of the piece's axis replaced by those of the box's: by a matrix, or a chirp transform of the values on
    the points of the piece, where the matrix were large."""
    n, side, shift = modes.shape[axis], piece.side * piece.stretch[axis], piece.low[axis] - box.low[axis]
    new, turns = box.q[axis].ravel()[:, None], np.fft.fftfreq(n, 1 / n)
    if n * new.size <= LARGE:
        away = 2 * math.pi / side * turns[None, :] - new
        phase = np.exp(0.5j * away * side - 1j * new * shift)
        return applied(phase * np.sinc(away * side / (2 * math.pi)), modes, axis)
    from scipy.signal import ZoomFFT

    first = 0 if axis == box.dim - 1 else -(box.counts[axis] // 2)
    unit = side / n / box.sides[axis]
    zoom = ZoomFFT(n, [first * unit, (first + new.size) * unit], new.size, fs=1.0)
    factor = np.where(np.abs(new) <= math.pi * n / side, np.exp(-1j * new * shift) / n, 0.0).ravel()
    rows = np.moveaxis(modes, axis, -1)
    result = np.empty((*rows.shape[:-1], new.size), complex)
    for row in np.ndindex(rows.shape[:-1]):
        moved = zoom(fft.ifft(rows[row], norm="forward"))
        result[row] = (moved if first == 0 else np.fft.ifftshift(moved)) * factor
    return np.moveaxis(result, -1, axis)
