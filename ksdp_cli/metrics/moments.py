"""Means and second moments of a cloud.

Standard errors assume n independent particles, which is true of network samples. Particles of one simulation interact:
second moments of two simulations differ by a little more than these errors, and by much more near a blow-up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from .wasserstein import power_of_two, require_cloud


@dataclass(frozen=True)
class Moments:
    """``mean`` (d,) [length] and E|x|^2 [length^2] of a cloud of n particles, each with its standard error.

    For n = 1 the standard errors are unknown: nan, or None in `as_dict`.
    """

    n: int
    mean: NDArray[np.float64]
    mean_se: NDArray[np.float64]
    second_moment: float
    second_moment_se: float

    def as_dict(self) -> dict[str, object]:
        return {
            "n": self.n,
            "mean": self.mean.tolist(),
            "mean_se": [finite(float(error)) for error in self.mean_se],
            "second_moment": self.second_moment,
            "second_moment_se": finite(self.second_moment_se),
        }


def finite(value: float) -> float | None:
    """``value``, or None for nan."""
    return None if math.isnan(value) else value


def moments(x: Cloud) -> Moments:
    """Moments of ``x`` (n, d), summed in float64. Raises `DataError` for a cloud that is empty or not finite."""
    require_cloud(x)
    n = len(x)
    squares = np.einsum("ij,ij->i", x, x, dtype=np.float64)
    root = math.sqrt(n - 1) if n > 1 else math.nan
    return Moments(
        n,
        x.mean(0, dtype=np.float64),
        x.std(0, dtype=np.float64) / root,
        float(squares.mean()),
        float((squares / power_of_two(squares)).std() / root * power_of_two(squares)),
    )


class Differences(TypedDict):
    """Differences of moments in units of their standard error; ``mean`` an entry an axis."""

    mean: list[float | None]
    second_moment: float | None


def moment_differences(a: Moments, b: Moments) -> Differences:
    """a - b in units of its standard error: ``mean`` (a list, one entry an axis) and ``second_moment``.

    None if the standard error is 0 or unknown.
    """
    return {
        "mean": [sigmas(*row) for row in zip(a.mean, a.mean_se, b.mean, b.mean_se, strict=True)],
        "second_moment": sigmas(a.second_moment, a.second_moment_se, b.second_moment, b.second_moment_se),
    }


def moment_values(a: Moments, b: Moments) -> dict[str, object]:
    """For JSON: the moments of cloud ``a`` and reference ``b``, and their differences."""
    return {
        "cloud_moments": a.as_dict(),
        "reference_moments": b.as_dict(),
        "moment_differences_in_se": moment_differences(a, b),
    }


def moment_rows(a: Moments, b: Moments, law: float | None = None) -> list[list[object]]:
    """Table rows: name, cloud and its s.e., reference and its s.e., difference / s.e.

    The last row compares the cloud with ``law``, E|x|^2 by equation (6), if it is given.
    """
    differences = moment_differences(a, b)
    rows: list[list[Any]] = [
        [
            f"mean {'xyz'[i] if len(a.mean) <= 3 else i}",
            *(a.mean[i], finite(a.mean_se[i]), b.mean[i], finite(b.mean_se[i])),
            sigmas,
        ]
        for i, sigmas in enumerate(differences["mean"])
    ]
    a_se, b_se = finite(a.second_moment_se), finite(b.second_moment_se)
    rows.append(["E|x|^2", a.second_moment, a_se, b.second_moment, b_se, differences["second_moment"]])
    if law is not None:
        difference = sigmas(a.second_moment, a.second_moment_se, law, 0.0)
        rows.append(["E|x|^2 against equation (6)", a.second_moment, a_se, law, None, difference])
    return rows


def sigmas(a: float, a_se: float, b: float, b_se: float) -> float | None:
    """The difference a - b in units of its standard error; None if that is 0 or nan."""
    spread = math.hypot(a_se, b_se)
    return (float(a) - float(b)) / spread if spread > 0 else None
