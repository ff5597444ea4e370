"""Two clouds compared: distance, noise floor, excess with its interval, and a verdict in words.

The distance between two samples of one law is not zero: that is the noise floor, which no generator can beat. It is
measured with the same estimator, N and number of sub-samples, between the reference and an independent second one.

Each repeat draws disjoint sub-samples while the clouds have particles enough (J >= repeats N), else overlapping ones. The
interval is Student's at 95 % over the repeats' differences W2^2(cloud, reference) - W2^2(second, reference), paired by
repeat through the reference sub-sample that both share. It covers the choice of particles, not another simulation's
Brownian paths: particles of one run interact, so runs differ a little more than their sub-samples do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import ConfigError
from ..shapes import Cloud
from .moments import Moments, moments
from .wasserstein import exact_w2_squared, require_comparable

LEVEL = 0.95


@dataclass(frozen=True)
class Comparison:
    """``w2_squared`` [length^2] is the mean over ``repeats`` sub-samples of N particles each.

    ``floor`` and ``excess`` are None when there is no second reference, and ``floor_source`` says why, or what it is.
    """

    N: int
    repeats: int
    estimator: str
    seed: int
    w2_squared: float
    w2_squared_se: float
    w2: float
    floor: float | None
    floor_se: float | None
    floor_source: str
    excess: float | None
    excess_low: float | None
    excess_high: float | None
    verdict: str
    cloud: Moments
    reference: Moments

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, with the distance's name spelled out."""
        values = asdict(self) | {"cloud_moments": self.cloud.as_dict(), "reference_moments": self.reference.as_dict()}
        del values["cloud"], values["reference"]
        return values | {"distance": f"exact W2 squared, N = {self.N}, mean of {self.repeats} sub-samples"}

    def tables(self, title: str) -> list[tuple[str, Sequence[str], Sequence[Sequence[Any]]]]:
        """(title, columns, rows) of the distances and of the moments."""
        interval = "" if self.excess_low is None else f"[{self.excess_low:.4g}, {self.excess_high:.4g}]"
        rows = [
            ["W2 squared", self.w2_squared, self.w2_squared_se, f"exact ({self.estimator}), N = {self.N}"],
            ["W2", self.w2, None, "root of the above"],
            ["noise floor, squared", self.floor, self.floor_se, self.floor_source],
            ["excess over the floor", self.excess, None, f"95 % interval {interval}" if interval else ""],
            ["verdict", self.verdict, None, f"seed {self.seed}, {self.repeats} sub-samples"],
        ]
        a, b = self.cloud, self.reference
        moment_rows = [
            [f"mean {axis}", a.mean[i], a.mean_se[i], b.mean[i], b.mean_se[i], _sigmas(a.mean[i], a.mean_se[i], b.mean[i], b.mean_se[i])]  # noqa: E501
            for i, axis in zip(range(len(a.mean)), "xyz", strict=False)
        ]
        seconds = (a.second_moment, a.second_moment_se, b.second_moment, b.second_moment_se)
        moment_rows.append(["E|x|^2", *seconds, _sigmas(*seconds)])
        return [
            (title, ["", "value", "s.e.", ""], rows),
            ("moments", ["", "cloud", "s.e.", "reference", "s.e.", "difference / s.e."], moment_rows),
        ]


def _sigmas(a: float, a_se: float, b: float, b_se: float) -> float | None:
    spread = math.hypot(a_se, b_se)
    return (float(a) - float(b)) / spread if spread else None


def compare_clouds(
    cloud: Cloud,
    reference: Cloud,
    second: Cloud | None = None,
    *,
    n: int = 2000,
    repeats: int = 5,
    seed: int = 0,
    estimator: str = "certified",
) -> Comparison:
    """Compare ``cloud`` (J1, d) with ``reference`` (J2, d).

    ``second`` (J3, d) is an independent reference for the noise floor. Without it the reference is cut in two disjoint
    halves when it has 2 n particles. Raises `ConfigError` when a cloud has fewer than ``n`` particles, `DataError` for
    clouds that cannot be compared.
    """
    require_comparable(cloud, reference)
    for name, one in (("cloud", cloud), ("reference", reference), ("second reference", second)):
        if one is not None and len(one) < n:
            raise ConfigError(f"the {name} has {len(one)} particles and N = {n}", f"use --N {len(one)} or less")
    source = "between two independent references"
    first = reference
    if second is None and len(reference) >= 2 * n:
        order = np.random.default_rng([seed, 1]).permutation(len(reference))
        half = len(order) // 2
        first, second = reference[order[:half]], reference[order[half:]]
        source = "between two halves of the one reference"
    rows = [_subsamples(one, n, repeats, [seed, i]) for i, one in enumerate((cloud, first)) if one is not None]
    distances = np.array([exact_w2_squared(a, b, estimator) for a, b in zip(*rows, strict=True)])
    floors = None
    if second is not None:
        others = _subsamples(second, n, repeats, [seed, 2])
        floors = np.array([exact_w2_squared(a, b, estimator) for a, b in zip(others, rows[1], strict=True)])
    else:
        source = f"unknown: the reference has {len(reference)} particles, fewer than 2 N, and there is no second one"
    excess = None if floors is None else distances - floors
    low, high = _interval(excess) if excess is not None else (None, None)
    mean = float(distances.mean())
    return Comparison(
        N=n,
        repeats=repeats,
        estimator=estimator,
        seed=seed,
        w2_squared=mean,
        w2_squared_se=_standard_error(distances),
        w2=math.sqrt(mean),
        floor=None if floors is None else float(floors.mean()),
        floor_se=None if floors is None else _standard_error(floors),
        floor_source=source,
        excess=None if excess is None else float(excess.mean()),
        excess_low=low,
        excess_high=high,
        verdict=_verdict(mean, floors, low, n),
        cloud=moments(cloud),
        reference=moments(reference),
    )


def _subsamples(cloud: Cloud, n: int, repeats: int, key: list[int]) -> list[Cloud]:
    """Disjoint sub-samples while the particles last, else one shuffle a repeat."""
    generator = np.random.default_rng(key)
    if len(cloud) >= n * repeats:
        order = generator.permutation(len(cloud))
        return [cloud[order[i * n : (i + 1) * n]] for i in range(repeats)]
    return [cloud[generator.permutation(len(cloud))[:n]] for _ in range(repeats)]


def _standard_error(values: NDArray[np.float64]) -> float:
    return float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else 0.0


def _interval(values: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Student's interval of the mean at 95 %; None for a single value."""
    if len(values) < 2:
        return None, None
    from scipy.stats import t

    width = float(t.ppf(0.5 + LEVEL / 2, len(values) - 1)) * _standard_error(values)
    return float(values.mean()) - width, float(values.mean()) + width


def _verdict(mean: float, floors: NDArray[np.float64] | None, low: float | None, n: int) -> str:
    if floors is None:
        return "no floor, no verdict"
    ratio = mean / float(floors.mean()) if floors.mean() > 0 else math.inf
    if low is not None and low <= 0:
        return f"indistinguishable from a second simulation at N = {n}"
    return f"{ratio:.2f} x the floor"
