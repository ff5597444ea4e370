"""Radial distribution of a cloud: the fraction of its particles within a distance of the origin."""

from __future__ import annotations

from collections.abc import Sequence

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

    def rows_of_runs(self, clouds: Sequence[Cloud], references: Sequence[Cloud]) -> list[dict[str, float | None]]:
        return _compared(clouds, references)


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
    return _compared([cloud], [reference])


def _compared(clouds: Sequence[Cloud], references: Sequence[Cloud]) -> list[dict[str, float | None]]:
    """`radial_comparison` of runs: standard errors are over runs where there are several."""
    for reference in references:
        require_cloud(reference, "reference")
    distances = np.linalg.norm(np.concatenate(references).astype(np.float64), axis=1)
    radii = np.unique(np.quantile(distances, FRACTIONS))  # a heavy particle holds several
    rows: list[dict[str, float | None]] = []
    for r, *shares in zip(radii, *_shares(clouds, radii), *_shares(references, radii), strict=True):
        p, p_se, q, q_se = map(float, shares)
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


def _shares(runs: Sequence[Cloud], radii: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The fraction of all particles of the ``runs`` within each radius (k,), and its standard error (k,)."""
    each = np.array([radial_distribution(x, radii) for x in runs])
    whole = np.average(each, axis=0, weights=[len(x) for x in runs])
    if len(runs) > 1:
        return whole, each.std(axis=0, ddof=1) / np.sqrt(len(runs))
    return whole, np.sqrt(whole * (1 - whole) / len(runs[0]))
