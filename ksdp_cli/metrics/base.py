"""The contract of a metric: a `Distance` between equal sub-samples, or a `Profile` of both whole clouds."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from .sizes import default_sizes


class Transport(NamedTuple):
    """A squared distance [length^2] and its dual potentials, (N,) on either cloud, each up to a constant.

    ``potentials`` is None where a distance has none.
    """

    value: float
    potentials: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None


class Distance:
    """A squared distance between clouds, which is given a noise floor and an interval.

    A subclass has ``title`` and `transport`; the rest has defaults. It is constructed for one comparison of ``cloud``
    (J1, d) with ``reference`` (J2, d) and perhaps ``second`` (J3, d), an independent reference. ``n`` and ``repeats``
    are the sizes of sub-samples, where the caller gives them.
    """

    #: What sentences and tables call it.
    title: ClassVar[str]
    #: Most particles a side by default; none: as many as there are.
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
        """All two or three clouds."""
        return [one for one in (self.cloud, self.reference, self.second) if one is not None]

    @property
    def label(self) -> str:
        """Its row in a table: the title, and the parameters that the value depends on."""
        return self.title

    def sizes(self) -> tuple[int, int]:
        """Particles a side of a sub-sample, and the number of sub-samples."""
        return default_sizes(self.cloud, self.reference, self.second, self.n, self.repeats, self.most)

    def cost(self, n: int, solves: int) -> tuple[float, float]:
        """Seconds and bytes that ``solves`` transports of ``n`` particles a side take here, side by side."""
        return 0.0, 0.0

    def transport(self, x: Cloud, y: Cloud) -> Transport:
        """The distance of ``x`` (n, d) and ``y`` (n, d). Several threads call it at once.

        With potentials, the changes of the value with the weight of each particle, its interval needs one sub-sample;
        without them it is Student's over disjoint ones.
        """
        raise NotImplementedError

    def between_all(self) -> float | None:
        """The distance between all particles of the cloud and all of the reference, where their numbers differ."""
        return None


class Profile:
    """A table that sets the cloud beside the reference. A subclass has ``title``, ``columns`` and `rows`."""

    title: ClassVar[str]
    columns: ClassVar[tuple[str, ...]]

    def rows(self, cloud: Cloud, reference: Cloud) -> list[dict[str, float | None]]:
        """One dictionary a row, of as many entries as there are columns; ``cloud`` (J1, d), ``reference`` (J2, d)."""
        raise NotImplementedError
