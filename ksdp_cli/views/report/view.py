"""Data of the live view: the network's weights and inputs, stored clouds, and the ranges of the sliders.

To keep the page small, stored clouds are cut to their first particles, which are independent of the rest, and rounded
to 16 bits over their box; the page says so.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...base.shapes import Cloud
from ...errors import DataError
from ...figures import COLOURS

#: Most bytes of all stored clouds (before base64), and most and fewest particles of each.
ROOM, MOST_SHOWN, FEWEST_SHOWN = 900_000, 20_000, 1_000
#: A slider extends beyond the trained range by this part of it, as the paper does with A = 130 after 1 to 100.
BEYOND = 0.3


@dataclass(frozen=True)
class PageCloud:
    """``points`` (n, d), the first of ``count`` particles, at parameters ``at``, with moments of all of them."""

    at: dict[str, float]
    points: Cloud
    count: int
    mean: Sequence[float]
    second_moment: float
    second_moment_se: float

    def as_json(self) -> dict[str, object]:
        low, high = self.points.min(0).astype(float), self.points.max(0).astype(float)
        step = np.where(high > low, high - low, 1.0) / 65535
        whole = np.rint((self.points - low) / step).astype("<u2")
        return {
            "at": self.at,
            "box": [[float(a), float(b)] for a, b in zip(low, high, strict=True)],
            "points": _text(whole),
            "count": self.count,
            "mean": [float(value) for value in self.mean],
            "second": self.second_moment,
            "error": self.second_moment_se if math.isfinite(self.second_moment_se) else None,
        }


@dataclass(frozen=True)
class Inputs:
    """The network's input: the uniform ball of ``seed``, drawn in the page, or ``stored`` rows (n, d)."""

    seed: int
    stored: Cloud | None = None

    def as_json(self) -> dict[str, object]:
        if self.stored is not None:
            rows = np.ascontiguousarray(self.stored, "<f4")
            return {"law": "stored", "points": _text(rows), "count": len(rows)}
        return {"law": "ball", "key": [self.seed & 0xFFFFFFFF, (self.seed >> 32) & 0xFFFFFFFF], "stream": 0}


@dataclass(frozen=True)
class NetworkView:
    """Weights ``theta`` (one vector, as in the network), layer ``sizes``, the eta map and the inputs.

    ``terms`` and ``heads`` are those of `Network` and its `Form`; ``skip`` times x is added to the output. ``command``
    is the ``ksdp sample`` command without its parameters, ``beyond`` the slope and ``origin`` that of `EtaMap`.
    """

    theta: NDArray[np.float32]
    sizes: tuple[int, ...]
    terms: Sequence[Sequence[tuple[str, int]]]
    heads: int
    skip: float
    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    log: tuple[bool, ...]
    beyond: tuple[float, ...]
    origin: tuple[float, ...]
    inputs: Inputs
    command: str

    def as_json(self) -> dict[str, object]:
        ends = list(zip(self.names, self.low, self.high, self.log, strict=True))
        for name, low, high, log in ends:
            if not (math.isfinite(high) and (0 if log else -math.inf) < low <= high):
                raise DataError(f"{name} of the network has the trained range {low} to {high}", "train it again")
        return {
            "terms": self.terms,
            "heads": self.heads,
            "skip": self.skip,
            "sizes": list(self.sizes),
            "theta": _text(np.ascontiguousarray(self.theta, "<f4")),
            "eta": [
                {"name": name, "low": low, "high": high, "log": log, "beyond": beyond, "origin": origin}
                for (name, low, high, log), beyond, origin in zip(ends, self.beyond, self.origin, strict=True)
            ],
            "inputs": self.inputs.as_json(),
            "seed": self.inputs.seed,
            "command": self.command,
        }

    def furthest(self) -> tuple[float, ...]:
        """Return the end of each parameter's slider."""
        ends = zip(self.low, self.high, self.log, strict=True)
        return tuple(
            float(f"{high * (1 + BEYOND) if log else high + BEYOND * (high - low):.4g}") for low, high, log in ends
        )

    def controls(self, units: dict[str, str], start: dict[str, float]) -> list[dict[str, object]]:
        controls = []
        for name, low, high, log, to in zip(self.names, self.low, self.high, self.log, self.furthest(), strict=True):
            controls.append(
                {"name": name, "unit": units.get(name, ""), "from": low, "to": to, "log": log}
                | {"start": start.get(name, high)}
            )
        return controls


@dataclass(frozen=True)
class Scene:
    """The live view. ``extent`` (d, 2) and ``start`` are the box and the parameters at first."""

    dim: int
    extent: NDArray[np.float64]
    clouds: Sequence[PageCloud]
    title: str
    units: dict[str, str]
    start: dict[str, float]
    network: NetworkView | None = None

    def as_json(self) -> dict[str, object]:
        return {
            "dim": self.dim,
            "extent": self.extent.tolist(),
            "colours": _text(colours()),
            "titles": {"network": "Network", "frames": self.title},
            "controls": self.network.controls(self.units, self.start) if self.network else self._stored_controls(),
            "frames": [cloud.as_json() for cloud in self.clouds],
            "network": self.network.as_json() if self.network else None,
        }

    def how(self) -> str:
        """Say how to move in the view, and what it leaves out."""
        move = "Drag to move." if self.dim == 2 else "Drag to turn, with Shift to move."
        text = (
            f"{move} To enlarge, click a picture and turn the wheel, pinch, or press + and −. Arrow keys turn and move"
        )
        text += " too, 0 goes back. Colours follow the square root of the density, on one scale for all pictures."
        cut = [cloud for cloud in self.clouds if len(cloud.points) < cloud.count]
        if cut:
            text += f" Stored clouds show their first {len(cut[0].points)} particles;"
        elif self.clouds:
            text += " Of stored clouds all particles are shown;"
        if self.clouds:
            text += " positions are rounded to 1/65535 of the cloud's width. Their moments are those of all particles."
        return text

    def _stored_controls(self) -> list[dict[str, object]]:
        controls = []
        for name in self.clouds[0].at:
            values = sorted({cloud.at[name] for cloud in self.clouds})
            start = self.start.get(name, values[-1])
            ends = {"from": values[0], "to": values[-1], "log": False}
            controls.append({"name": name, "unit": self.units.get(name, ""), "values": values, "start": start} | ends)
        return controls


def particles_per_cloud(clouds: int, dim: int) -> int:
    """Return how many particles of each of ``clouds`` stored clouds fit on a page; 0 if fewer than `FEWEST_SHOWN`."""
    fit = min(MOST_SHOWN, ROOM // (2 * dim * max(clouds, 1)))
    return fit if fit >= FEWEST_SHOWN else 0


#: Number of colours that fade to the white of an empty cell.
FADE = 24


def colours() -> NDArray[np.uint8]:
    """Return the colours of the pictures, (256, 3): white for empty cells, then even steps to dark for dense ones."""
    from matplotlib import colormaps

    table = colormaps[COLOURS](np.arange(256))[:, :3]
    part = np.minimum(np.arange(256) / FADE, 1.0)[:, None]
    return np.asarray(((part * table + 1.0 - part) * 255).round(), np.uint8)


def _text(array: NDArray[np.generic]) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
