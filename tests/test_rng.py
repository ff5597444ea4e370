"""Philox against the published vectors, and the promise that a number depends on its address alone."""

from __future__ import annotations

import itertools
import threading

import numpy as np
import pytest

from ksdp_cli.base import philox, rng
from ksdp_cli.initial.ball import Ball

#: Random123, kat_vectors, philox4x32 with 10 rounds: counter, key, result.
KNOWN = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
ADDRESS = {"seed": 2**62 + 12345, "stream": rng.noise_stream(3), "step": 70_000}


@pytest.mark.parametrize(("counter", "key", "expected"), KNOWN)
def test_philox_gives_the_published_words(counter: str, key: str, expected: str) -> None:
    words = [np.uint32(int(word, 16)) for word in (counter + " " + key).split()]
    assert [f"{int(word):08x}" for word in philox.philox(*words)] == expected.split()


@pytest.mark.parametrize("draw", [rng.normals, rng.uniforms])
@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("start", [0, 2**32 - 50, 2**40])
def test_numbers_do_not_depend_on_how_the_particles_are_cut(draw, d: int, start: int) -> None:
    n = 3 * rng.PIECE + 17  # more than one piece, so on several threads
    whole = draw(**ADDRESS, start=start, n=n, d=d)
    cuts = [0, 1, 100, rng.PIECE + 3, n]
    parts = [draw(**ADDRESS, start=start + a, n=b - a, d=d) for a, b in itertools.pairwise(cuts)]
    assert np.array_equal(np.concatenate(parts), whole)


def test_every_part_of_the_address_matters() -> None:
    address = ADDRESS | {"start": 0, "n": 8, "d": 3}
    base = rng.normals(**address)
    for name, shift in (("seed", 2**40), ("seed", 1), ("stream", 1), ("step", 1), ("start", 2**32), ("start", 8)):
        other = rng.normals(**(address | {name: address[name] + shift}))
        assert not np.isclose(base, other).any(), name


def test_normals_have_the_moments_of_the_normal_law() -> None:
    n = 400_000
    x = rng.normals(**ADDRESS, start=0, n=n, d=3).astype(np.float64)
    bound = 4.5 / np.sqrt(n)  # 4.5 standard deviations: one failure in 1e5 for each of 21 numbers
    assert np.abs(x.mean(0)).max() < bound
    assert np.abs(x.var(0) - 1).max() < bound * np.sqrt(2)
    assert np.abs((x**3).mean(0)).max() < bound * np.sqrt(15)
    assert np.abs((x**4).mean(0) - 3).max() < bound * np.sqrt(96)
    assert np.abs(np.cov(x.T)[np.triu_indices(3, 1)]).max() < bound
    assert np.abs((x[1:] * x[:-1]).mean(0)).max() < bound
    later = rng.normals(ADDRESS["seed"], ADDRESS["stream"], ADDRESS["step"] + 1, 0, n, 3)
    assert np.abs((x * later).mean(0)).max() < bound


def test_float64_runs_follow_the_same_path() -> None:
    single = rng.normals(**ADDRESS, start=0, n=1000, d=2)
    double = rng.normals(**ADDRESS, start=0, n=1000, d=2, dtype=np.float64)
    assert double.dtype == np.float64
    assert np.allclose(single, double, rtol=1e-6, atol=1e-7)


def test_uniforms_are_uniform_and_inside() -> None:
    u = rng.uniforms(**ADDRESS, start=0, n=200_000, d=3)
    assert u.min() > 0
    assert u.max() < 1
    for axis in range(3):
        gap = np.abs(np.sort(u[:, axis]) - (np.arange(len(u)) + 0.5) / len(u)).max()
        assert gap < 2.2 / np.sqrt(len(u))  # Kolmogorov-Smirnov, one failure in 1e4


def test_uniforms_have_53_bits_and_neither_end() -> None:
    """The words at both ends by hand; then every bit of k is set in half of 200 000 draws, within 5 standard errors."""
    zero, ones = np.uint32(0), np.uint32(0xFFFFFFFF)
    assert philox._unit(zero, zero) == 2.0**-54
    assert philox._unit(ones, ones) == 1 - 2.0**-53
    assert philox._unit(np.uint32(0x80000000), np.uint32(64)) == 0.5 + 2.0**-53  # an odd k from 2^52 on
    u = rng.uniforms(**ADDRESS, start=0, n=200_000, d=2).ravel()
    for half in (u[u >= 0.5], u[u < 0.5]):
        k = np.floor(half * 2.0**53).astype(np.uint64)
        shares = np.array([((k >> np.uint64(bit)) & np.uint64(1)).mean() for bit in range(52)])
        assert np.abs(shares - 0.5).max() < 5 * 0.5 / np.sqrt(len(k))


def test_normals_are_box_muller_on_24_bits() -> None:
    """Their largest is that of the least uniform, 2^-25; a radius of 0 is the largest, rounded to 1 in float32."""
    x = rng.normals(**ADDRESS, start=0, n=1 << 20, d=2)
    assert np.abs(x).max() <= np.sqrt(2 * 25 * np.log(2)) + 1e-6 < 5.888
    zeros = (x == 0).all(1).sum()  # one in 2^24: 5 of a million would come once in 1e8 times
    assert zeros < 5


def test_several_python_threads_may_draw_at_once() -> None:
    expected = rng.normals(**ADDRESS, start=0, n=200_000, d=2)
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(rng.normals(**ADDRESS, start=0, n=200_000, d=2))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.array_equal(one, expected) for one in found)


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match="d = 4"):
        rng.normals(0, 0, 0, 0, 10, 4)


@pytest.mark.parametrize("dim", [2, 3])
def test_the_ball_is_uniform_and_cut_anywhere(dim: int) -> None:
    n = 200_000
    x = Ball().draw(n, dim, seed=7, stream=2)
    assert x.dtype == np.float32
    assert x.flags.c_contiguous
    r = np.sort(np.linalg.norm(x.astype(np.float64), axis=1))
    assert r[-1] <= 1 + 1e-6
    assert np.abs(r**dim - (np.arange(n) + 0.5) / n).max() < 2.2 / np.sqrt(n)  # the mass within r is r^d
    assert np.abs(x.mean(0)).max() < 4.5 / np.sqrt(n * (dim + 2))  # variance of a coordinate: 1 / (d + 2)
    assert np.array_equal(Ball().draw(500, dim, seed=7, start=1000, stream=2), x[1000:1500])
    assert not np.isclose(Ball().draw(500, dim, seed=7, start=0, stream=3), x[:500]).all(1).any()
