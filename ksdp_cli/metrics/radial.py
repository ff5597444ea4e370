"""Radial distribution of a cloud: the fraction of its particles within a distance of the origin."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..base.shapes import Cloud
from .base import Profile
from .moments import sigmas
from .wasserstein import require_cloud


class Radial(Profile):
    """Fractions of both clouds inside the radii that hold 5 to 95 % of the reference."""

    title = "radial distribution around the origin"
    columns = ("particles within r", "cloud", "s.e.", "reference", "s.e.", "difference / s.e.")

    def rows(self, cloud: Cloud, reference: Cloud) -> list[dict[str, float | None]]:
        return radial_comparison(cloud, reference)


def radial_distribution(x: Cloud, radii: ArrayLike) -> NDArray[np.float64]:
    """The fraction of ``x`` (n, d) with |x| <= r, for each of ``radii`` (k,) [length].

    Multiplied by M it is the mass m(r^2, t) of the radial problem. A fraction p has standard error sqrt(p (1 - p) / n).
    Raises `DataError` for a cloud that is empty or not finite.
    """
    require_cloud(x)
    squares = np.sort(np.einsum("ij,ij->i", x, x, dtype=np.float64))
    # particles at one point, as those of a heavy particle, are within their distance, whatever root and square round
    reached = np.asarray(radii, np.float64) ** 2 * (1.0 + 1e-12)
    return np.searchsorted(squares, reached, side="right") / len(x)


#: Fractions of the reference that the radii of `radial_comparison` hold.
FRACTIONS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)


def radial_comparison(cloud: Cloud, reference: Cloud) -> list[dict[str, float | None]]:
    """Fractions of both clouds within the radii [length] that hold 5 to 95 % of ``reference``, with standard errors.

    Raises `DataError` for a cloud that is empty or not finite.
    """
    require_cloud(reference, "reference")
    distances = np.linalg.norm(reference.astype(np.float64), axis=1)
    radii = np.unique(np.quantile(distances, FRACTIONS))  # a heavy particle holds several
    rows: list[dict[str, float | None]] = []
    for r, *shares in zip(radii, *(radial_distribution(x, radii) for x in (cloud, reference)), strict=True):
        p, q = (float(share) for share in shares)
        p_se, q_se = math.sqrt(p * (1 - p) / len(cloud)), math.sqrt(q * (1 - q) / len(reference))
        difference = sigmas(p, p_se, q, q_se)
        row: dict[str, float | None] = {
            "r": float(r),
            "cloud": p,
            "cloud_se": p_se,
            "reference": q,
            "reference_se": q_se,
        }
        rows.append(row | {"apart": difference})
    return rows
