"""The direct sum against brute force in float64: every kernel, dimension and precision, on unkind clouds."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ksdp_cli.errors import ConfigError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.coulomb import Coulomb
from ksdp_cli.kernels.eq7 import Eq7
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles.engines.choice import make_engine
from ksdp_cli.particles.engines.direct_cpu import MOST, DirectCPU
from ksdp_cli.particles.kernel_compiler.source import array_function

KERNELS = [Blob, Eq7, Plummer, Gaussian, Coulomb]
DELTA2 = 1e-3
INNER = 0.7  # a constant of the module, and a helper, as a third party would write them


def _screen(r: float, k: float) -> float:
    """A helper that calls nothing of ours."""
    return (1.0 + k * r) * math.exp(-k * r)


class Screened:
    """A third-party style kernel: helper, constant, conditional expression, power and an extra parameter."""

    @staticmethod
    def g2d(r2: float, delta2: float, k: float) -> float:
        r = math.sqrt(r2)
        far: float = _screen(r, k) / (2.0 * math.pi * (r2 + delta2))
        return far if r2 > INNER**2 else 1.0 / (2.0 * math.pi * (r2 + delta2)) - 0.25 * math.fabs(r - INNER) ** 3

    @staticmethod
    def g3d(r2: float, delta2: float, k: float) -> float:
        return _screen(math.sqrt(r2), k) / (r2 + delta2) * math.erf(math.sqrt(r2)) + math.log(r2 + 1.0)


def clouds(dim: int) -> dict[str, np.ndarray]:
    ball = Ball().draw(700, dim, seed=3)
    clumps = np.concatenate([ball[:300] * 1e-3 + 0.5, ball[300:600] * 1e-2 - 0.25, ball[600:]])
    same = np.concatenate([ball[:300], ball[:200], np.zeros((20, dim), np.float32)])
    return {"ball": ball, "clumps": clumps, "coincident": same, "pair": ball[:2], "one": ball[:1]}


def brute(kernel, args: tuple[float, ...], x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Forces (J, d) in float64, and for each target the sum of the sizes of what was added."""
    x = x.astype(np.float64)
    d = x[None] - x[:, None]
    r2 = (d * d).sum(-1)
    g = array_function(kernel, x.shape[1])(np.where(r2 > 0, r2, 1.0), *args)
    pair = np.where(r2 > 0, g, 0.0)[..., None] * d
    return pair.sum(1), np.linalg.norm(pair, axis=2).sum(1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("kernel", [*KERNELS, Screened])
def test_sum_is_that_of_brute_force(kernel, dim: int, dtype: str) -> None:
    args = (DELTA2, 2.0) if kernel is Screened else (DELTA2,)
    engine = DirectCPU(kernel, args, dim, dtype, threads=2)
    bound = 4e-6 if dtype == "float32" else 2e-12
    for name, cloud in clouds(dim).items():
        x = cloud.astype(dtype)
        force = engine(x)
        assert force.dtype == x.dtype
        assert force.shape == x.shape
        exact, size = brute(kernel, args, x)
        error = np.linalg.norm(force - exact, axis=1)
        assert (error <= bound * size).all(), (name, (error / np.maximum(size, 1e-300)).max())
        assert np.linalg.norm(force.sum(0, dtype=np.float64)) <= bound * size.sum(), "pair forces do not cancel"


def test_one_particle_feels_nothing() -> None:
    assert (DirectCPU(Coulomb, (0.0,), 3, "float32")(np.ones((1, 3), np.float32)) == 0).all()


def test_many_sources_cost_no_digits_in_float32() -> None:
    x = Ball().draw(300_000, 2, seed=1) + np.float32(0.5)
    engine = DirectCPU(Blob, (DELTA2,), 2, "float32")
    near = np.zeros((2, 8))
    targets = [np.ascontiguousarray(x[:8, axis]) for axis in range(2)]
    sources = [np.ascontiguousarray(x[:, axis]) for axis in range(2)]
    engine.accumulate(*targets, *sources, *near, engine.args)
    for j in range(8):
        d = x.astype(np.float64) - x[j].astype(np.float64)
        r2 = (d * d).sum(1)
        exact = (d / (2 * np.pi * (r2 + DELTA2))[:, None]).sum(0)
        assert np.linalg.norm(near[:, j] - exact) < 3e-7 * np.linalg.norm(exact)


def test_threads_do_not_change_the_sum() -> None:
    x = Ball().draw(2 * MOST + 3, 2, seed=1)
    one, three = (DirectCPU(Blob, (DELTA2,), 2, "float32", threads=threads)(x) for threads in (1, 3))
    assert np.array_equal(one, three)


def test_choice_of_engine() -> None:
    def make(**options):  # type: ignore[no-untyped-def]
        return make_engine(Blob, options.pop("args", (DELTA2,)), options.pop("dim", 2), "float32", 100, **options)

    assert make().name == "direct"
    assert make(threads=1).report() == {"engine": "direct", "threads": 1}
    with pytest.raises(ConfigError, match="'fmm'"):
        make(name="fmm")
    with pytest.raises(ConfigError, match="takes 1 parameters"):
        make(args=(DELTA2, 1.0))
    with pytest.raises(ConfigError, match="threads = 0"):
        make(threads=0)

    tree = {(1e-4, 2): 6_000, (1e-4, 3): 20_000, (1e-2, 3): 7_000, (1e-6, 3): 64_000}
    for (accuracy, dim), particles in tree.items():
        for count, name in ((particles // 2, "direct"), (particles, "tree")):
            chosen = make_engine(Blob, (DELTA2,), dim, "float32", count, accuracy=accuracy).name
            assert chosen == ("mesh or tree" if name == "tree" and dim == 2 else name)
    assert make_engine(Blob, (DELTA2,), 2, "float32", 10, name="tree").name == "tree"

    class Flat:
        g2d = staticmethod(Blob.g2d)

    with pytest.raises(ConfigError, match=r"Flat.* 2, not 3"):
        make_engine(Flat, (DELTA2,), 3, "float32", 100)
