"""The contract of a metric: a `Distance` between equal sub-samples, or a `Profile` of two whole clouds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from .sizes import default_sizes


class Transport(NamedTuple):
    """A squared distance [length^2] and its dual potentials, (N,) for each cloud, each up to a constant.

    ``potentials`` is None for a distance without dual potentials.
    """

    value: float
    potentials: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


class Distance:
    """A squared distance between clouds; `comparison` adds its noise floor and an interval.

    A subclass defines ``title`` and `transport`; everything else has a default. An instance serves one comparison of
    ``cloud`` (J1, d) with ``reference`` (J2, d) and, optionally, ``second`` (J3, d), an independent reference. ``n`` is
    the number of particles in a sub-sample and ``repeats`` the number of sub-samples; None means the default.
    """

    #: Name in sentences and tables.
    title: ClassVar[str]
    #: Largest default number of particles a side; None: all particles.
    most: ClassVar[int | None] = None

    def __init__(
        self,
        cloud: Cloud,
        reference: Cloud,
        second: Cloud | None = None,
        *,
        seed: int = 0,
        n: int | None = None,
        repeats: int | None = None,
    ) -> None:
        self.cloud, self.reference, self.second, self.seed = cloud, reference, second, seed
        self.n, self.repeats = n, repeats

    @property
    def clouds(self) -> list[Cloud]:
        """Cloud, reference and, if given, second reference."""
        return [one for one in (self.cloud, self.reference, self.second) if one is not None]

    @property
    def label(self) -> str:
        """Name of its row in a table: the title with the parameters on which the value depends."""
        return self.title

    def sizes(self) -> tuple[int, int]:
        """Return the number of particles a side of a sub-sample, and the number of sub-samples."""
        return default_sizes(self.cloud, self.reference, self.second, self.n, self.repeats, self.most)

    def cost(self, n: int, solves: int) -> tuple[float, float]:
        """Estimate seconds and bytes of ``solves`` parallel transports of ``n`` particles a side on this machine."""
        return 0.0, 0.0

    def transport(self, x: Cloud, y: Cloud) -> Transport:
        """Return the distance between ``x`` (n, d) and ``y`` (n, d). Several threads call it at the same time.

        A potential is the derivative of the value with respect to the weight of each particle. With potentials one
        sub-sample is enough for an interval; without them the interval is Student's over disjoint sub-samples.
        """
        raise NotImplementedError

    def between_all(self) -> float | None:
        """Return the distance between the whole cloud and the whole reference if their sizes differ, or None."""
        return None


class Profile:
    """A table that compares the cloud with the reference. A subclass defines ``title``, ``columns`` and `rows`."""

    title: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    def rows(self, cloud: Cloud, reference: Cloud) -> list[dict[str, float | None]]:
        """Return one dictionary a row, with one entry a column, for ``cloud`` (J1, d) and ``reference`` (J2, d)."""
        raise NotImplementedError

    def rows_of_runs(self, clouds: Sequence[Cloud], references: Sequence[Cloud]) -> list[dict[str, float | None]]:
        """Return `rows` of two ensembles; by default of the particles of all runs, as if they were independent."""
        return self.rows(np.concatenate(clouds), np.concatenate(references))
