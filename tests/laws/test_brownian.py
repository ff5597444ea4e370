"""Without attraction and flow a particle is a Brownian motion: increments normal, independent, of variance 2 mu t."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import chi2, kstest

#: A right result fails each of the bounds below with probability 1e-6 or less.
LEVEL = 1e-6


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_increments_are_normal(evolve, dim: int, dtype: str) -> None:
    mu, times, count = 0.5, (0.0, 0.003, 0.01), 10_000
    clouds = [frame[0] for frame in evolve(M=0, mu=mu, dim=dim, J=count, dt=1e-3, dtype=dtype, snapshots=times)]
    steps = [(b - a) / math.sqrt(2 * mu * dt) for a, b, dt in zip(clouds[:-1], clouds[1:], np.diff(times), strict=True)]
    columns = np.concatenate(steps, axis=1)  # independent: two intervals, d axes
    for column in columns.T:
        assert kstest(column, "norm").pvalue > LEVEL
    correlation = np.corrcoef(np.concatenate([columns, clouds[0]], axis=1).T)
    off = correlation[~np.eye(len(correlation), dtype=bool)]
    assert np.abs(off).max() < 5.5 / math.sqrt(count)  # normal with variance 1 / J, at most 72 of them
    squares = float((columns**2).sum())
    assert chi2.ppf(LEVEL, columns.size) < squares < chi2.isf(LEVEL, columns.size)


def test_particles_and_steps_are_independent(evolve) -> None:
    """The correlation of neighbours in the particle number and in time: normal with variance 1 / J."""
    count = 20_000
    clouds = [frame[0] for frame in evolve(M=0, J=count, dt=1e-3, snapshots=(0.0, 1e-3, 2e-3, 3e-3))]
    first, second, third = (np.diff(np.stack(clouds), axis=0) / math.sqrt(2e-3))[:, :, 0]
    for a, b in ((first[1:], first[:-1]), (first, second), (second, third), (first[2:], second[:-2])):
        assert abs((a * b).mean()) < 5.5 / math.sqrt(len(a))


def test_a_small_mass_is_nearly_none(evolve) -> None:
    """The drift is proportional to M: paths of the same noise part by an amount proportional to M as M -> 0."""
    options = {"J": 500, "snapshots": (0.01,), "dtype": "float64"}
    free = evolve(M=0, **options)[0]
    apart = [float(np.abs(evolve(M=mass, **options)[0] - free).max()) for mass in (1e-3, 1e-4)]
    assert apart[0] < 1e-3 * 0.01 * 500
    assert apart[0] / apart[1] == pytest.approx(10, rel=0.02)
