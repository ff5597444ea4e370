"""How physical parameters enter the network: each component mapped to [-1, 1] over its training range."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.files import JsonDict
from ..errors import ConfigError, DataError
from .network.forms import FORMS, form_name


@dataclass(frozen=True)
class EtaMap:
    """``names`` of the p components, ``low`` and ``high`` of the training grid, ``log`` where it is logarithmic.

    ``before`` are the values that come before the highest; empty: they are as high, as far as is known.

    A raw A = 100 would saturate tanh, so the paper's padding needs a scale; which one is not in the paper.
    """

    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    log: tuple[bool, ...]
    before: tuple[float, ...] = ()

    @classmethod
    def of(cls, names: tuple[str, ...], grid: NDArray[np.float64]) -> EtaMap:
        """The map for training parameters ``grid`` (n, p): logarithmic where positive and nearer to equal ratios."""
        columns = [np.unique(column) for column in np.asarray(grid, np.float64).T]
        return cls(
            tuple(names),
            tuple(float(column[0]) for column in columns),
            tuple(float(column[-1]) for column in columns),
            tuple(_is_logarithmic(column) for column in columns),
            tuple(float(column[-min(2, len(column))]) for column in columns),
        )

    @classmethod
    def from_json(cls, stored: JsonDict) -> EtaMap:
        """The map of a model's header. Raises `DataError` for one that maps nothing to a finite number."""
        try:
            own = {name: tuple(stored[name]) for name in ("names", "low", "high", "log")}
            made = cls(**own, before=tuple(stored.get("before", ())))
        except (AttributeError, KeyError, TypeError) as error:
            raise DataError(f"the eta map is damaged: {error}") from None
        wrong = made._wrong()
        if wrong:
            raise DataError(f"the eta map is damaged: {wrong}", "train again or take a copy")
        return made

    def _wrong(self) -> str | None:
        """What makes it no map, in words."""
        p = len(self.names)
        if not p or not all(isinstance(name, str) and name for name in self.names) or len(set(self.names)) < p:
            return f"its names are {self.names!r}"
        for what, values in (("low", self.low), ("high", self.high), ("before", self.before)):
            numbers = all(type(value) in (int, float) and math.isfinite(value) for value in values)
            if not numbers or (len(values) != p and not (what == "before" and not values)):
                return f"{what} of {', '.join(self.names)} is {values!r}"
        if len(self.log) != p or not all(isinstance(one, bool) for one in self.log):
            return f"log of {', '.join(self.names)} is {self.log!r}"
        for name, low, high, before, log in zip(
            self.names, self.low, self.high, self.before or self.high, self.log, strict=True
        ):
            if not low <= before <= high or (log and low <= 0):
                scale = " on a logarithmic scale" if log else ""
                return f"{name} goes from {low:g} to {high:g}{scale}, {before:g} the last but one"
        return None

    def as_json(self) -> JsonDict:
        return {name: list(value) for name, value in asdict(self).items()}

    def normalise(self, eta: ArrayLike) -> NDArray[np.float32]:
        """``eta`` (p,) or (n, p) in its own units, mapped so that the training range is [-1, 1]; float32.

        Raises `ConfigError` for values that are not finite, or not positive where the map is logarithmic.
        """
        eta = np.asarray(eta, np.float64)
        out = np.empty(eta.shape, np.float64)
        for i, logarithmic in enumerate(self.log):
            values, low, high = eta[..., i], self.low[i], self.high[i]
            if not np.isfinite(values).all() or (logarithmic and (values <= 0).any()):
                wanted = "a positive number: the network takes its logarithm" if logarithmic else "a finite number"
                raise ConfigError(f"{self.names[i]} = {values.min():g} is not {wanted}", f"give --{self.names[i]} one")
            if logarithmic:
                values, low, high = np.log(values), np.log(low), np.log(high)
            out[..., i] = 2.0 * (values - low) / (high - low) - 1.0 if high > low else 0.0 * values
        return out.astype(np.float32)

    def padding(self, form: str, eta: ArrayLike) -> NDArray[np.float32]:
        """The terms of ``eta`` (p,) or (n, p), in its own units, that a network of this form reads beside x; float32.

        Raises as `normalise` does, and `ConfigError` for more parameters than the form takes.
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
        """A `forms.Factor` of component ``i``."""
        if name == "mapped":
            mapped: NDArray[Any] = self.normalise(eta)[..., i]
            return mapped
        u = eta[..., i] / (max(abs(self.low[i]), abs(self.high[i])) or 1.0)
        if name == "scaled":
            return u
        return np.where(u > 1, 1 + self.beyond[i] * (u - 1), u**2)

    @property
    def beyond(self) -> tuple[float, ...]:
        """The slope of u^2 above u = 1: the secant's, or the tangent's where the trained range does not end there.

        The tangent of a fitted parabola overshoots; of two trained values the secant makes a straight line.
        """
        ends = zip(self.low, self.high, self.before or self.high, strict=True)
        return tuple(1.0 + before / high if high > 0 and high >= -low else 2.0 for low, high, before in ends)

    def outside(self, eta: ArrayLike) -> list[str]:
        """A sentence for each component of ``eta`` (p,) that lies outside the trained range."""
        return [
            f"{name} = {value:g} lies outside the trained range {low:g} to {high:g}"
            for name, value, low, high in zip(self.names, np.asarray(eta), self.low, self.high, strict=True)
            if not low * (1 - 1e-9) - 1e-300 <= value <= high * (1 + 1e-9)
        ]


def _is_logarithmic(values: NDArray[np.float64]) -> bool:
    """Whether sorted values are positive and their ratios vary less than their differences."""
    if len(values) < 3 or values[0] <= 0:
        return False
    steps, ratios = np.diff(values), np.diff(np.log(values))
    return bool(ratios.std() / ratios.mean() < steps.std() / steps.mean())
