"""The map of physical parameters eta to inputs of the network: each component to [-1, 1] over its training range."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.files import JsonDict
from ..errors import ConfigError, DataError
from .network.forms import FORMS, form_name

#: A range narrower than this part of its largest value has its origin at its lower end.
NARROW = 0.5


@dataclass(frozen=True)
class EtaMap:
    """``names`` of the p components, ``low`` and ``high`` of the training grid, ``log`` where it is logarithmic.

    ``before`` holds the second-largest training value of each parameter; it is empty in older files, and then `high` is
    used. Models store it under this name. ``origin`` is where u is 0, see `forms.Factor`: at 0, but for a narrow range
    far from 0 at its lower end; empty where all are 0.

    The paper does not state the scale of its padding, but a raw A = 100 would saturate tanh.
    """

    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    log: tuple[bool, ...]
    before: tuple[float, ...] = ()
    origin: tuple[float, ...] = ()

    @classmethod
    def of(cls, names: tuple[str, ...], grid: NDArray[np.float64]) -> EtaMap:
        """The map for training parameters ``grid`` (n, p); logarithmic for positive values with nearly equal ratios."""
        columns = [np.unique(column) for column in np.asarray(grid, np.float64).T]
        origin = tuple(float(c[0]) if 0 < np.ptp(c) < NARROW * np.abs(c).max() else 0.0 for c in columns)
        return cls(
            tuple(names),
            tuple(float(column[0]) for column in columns),
            tuple(float(column[-1]) for column in columns),
            tuple(_is_logarithmic(column) for column in columns),
            tuple(float(column[-min(2, len(column))]) for column in columns),
            origin if any(origin) else (),
        )

    @classmethod
    def from_json(cls, values: JsonDict) -> EtaMap:
        """The map of a model's header. Raises `DataError` for a header that is damaged."""
        try:
            fields = {name: tuple(values[name]) for name in ("names", "low", "high", "log")}
            more = {name: tuple(values.get(name, ())) for name in ("before", "origin")}
            eta_map = cls(**fields, **more)
        except (AttributeError, KeyError, TypeError) as error:
            raise DataError(f"the eta map is damaged: {error}") from None
        fault = eta_map._fault()
        if fault:
            raise DataError(f"the eta map is damaged: {fault}", "train again or restore a copy")
        return eta_map

    def _fault(self) -> str | None:
        """The reason why this is not a valid map, or None."""
        p = len(self.names)
        if not p or not all(isinstance(name, str) and name for name in self.names) or len(set(self.names)) < p:
            return f"its names are {self.names!r}"
        ends = ("low", self.low), ("high", self.high), ("before", self.before), ("origin", self.origin)
        for what, values in ends:
            numbers = all(type(value) in (int, float) and math.isfinite(value) for value in values)
            if not numbers or (len(values) != p and (what in ("low", "high") or values)):
                return f"{what} of {', '.join(self.names)} is {values!r}"
        if len(self.log) != p or not all(isinstance(one, bool) for one in self.log):
            return f"log of {', '.join(self.names)} is {self.log!r}"
        for name, low, high, before, log in zip(
            self.names, self.low, self.high, self.before or self.high, self.log, strict=True
        ):
            if not low <= before <= high or (log and low <= 0):
                scale = " on a logarithmic scale" if log else ""
                return f"{name} has low = {low:g}, before = {before:g} and high = {high:g}{scale}"
        return None

    def as_json(self) -> dict[str, list[object]]:
        values = {name: list(value) for name, value in asdict(self).items()}
        return values if self.origin else {name: value for name, value in values.items() if name != "origin"}

    def normalise(self, eta: ArrayLike) -> NDArray[np.float32]:
        """Map ``eta`` (p,) or (n, p), in its own units, so that the training range becomes [-1, 1]; float32.

        Raises `ConfigError` for values that are not finite, or not positive where the map is logarithmic.
        """
        eta = np.asarray(eta, np.float64)
        out = np.empty(eta.shape, np.float64)
        for i, logarithmic in enumerate(self.log):
            values, low, high = eta[..., i], self.low[i], self.high[i]
            if not np.isfinite(values).all() or (logarithmic and (values <= 0).any()):
                kind = "a positive number: the network uses its logarithm" if logarithmic else "a finite number"
                raise ConfigError(f"{self.names[i]} = {values.min():g} is not {kind}", f"change --{self.names[i]}")
            if logarithmic:
                values, low, high = np.log(values), np.log(low), np.log(high)
            out[..., i] = 2.0 * (values - low) / (high - low) - 1.0 if high > low else 0.0 * values
        return out.astype(np.float32)

    def padding(self, form: str, eta: ArrayLike) -> NDArray[np.float32]:
        """The terms of ``eta`` (p,) or (n, p), in its own units, that a network of this form reads with x; float32.

        Raises the errors of `normalise`, and `ConfigError` for more parameters than the form supports.
        """
        form_name(form, len(self.names))
        eta = np.asarray(eta, np.float64)
        columns = []
        for term in FORMS[form].terms(self.log):
            column = np.ones(eta.shape[:-1])
            for factor, i in term:
                column = column * self._factor(factor, i, eta)
            columns.append(column)
        return np.stack(columns, -1).astype(np.float32)

    def _factor(self, name: str, i: int, eta: NDArray[np.float64]) -> NDArray[np.floating]:
        """Value of the `forms.Factor` ``name`` of component ``i``."""
        if name == "mapped":
            factor: NDArray[Any] = self.normalise(eta)[..., i]
            return factor
        low, high, origin = self._from_origin(i)
        u = (eta[..., i] - origin) / (max(abs(low), abs(high)) or 1.0)
        if name == "scaled":
            return u
        return np.where(u > 1, 1 + self.edge_slope[i] * (u - 1), u**2)

    @property
    def edge_slope(self) -> tuple[float, ...]:
        """Slope with which u^2 continues above u = 1: that of the secant through the last two training values.

        The tangent of a fitted parabola would overshoot. The slope is 2 if the trained range does not end at u = 1.
        """
        slopes = []
        for i, before in enumerate(self.before or self.high):
            low, high, origin = self._from_origin(i)
            slopes.append(1.0 + (before - origin) / high if high > 0 and high >= -low else 2.0)
        return tuple(slopes)

    def _from_origin(self, i: int) -> tuple[float, float, float]:
        """The ends of the range of component ``i`` from its origin on, and the origin."""
        origin = self.origin[i] if self.origin else 0.0
        return self.low[i] - origin, self.high[i] - origin, origin

    def outside(self, eta: ArrayLike) -> list[str]:
        """A sentence for each component of ``eta`` (p,) outside the trained range."""
        return [
            f"{name} = {value:g} lies outside the trained range {low:g} to {high:g}"
            for name, value, low, high in zip(self.names, np.asarray(eta), self.low, self.high, strict=True)
            if not low * (1 - 1e-9) - 1e-300 <= value <= high * (1 + 1e-9)
        ]


def _is_logarithmic(values: NDArray[np.float64]) -> bool:
    """Whether sorted ``values`` are positive and their ratios vary less than their differences."""
    if len(values) < 3 or values[0] <= 0:
        return False
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(ratios.std() / ratios.mean() < steps.std() / steps.mean())
