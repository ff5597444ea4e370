"""The treecode of the GPU without one: its tree, proxies and lists are torch operations, its program is interpreted."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.interpreter
INTERPRETED = """
import numpy as np, torch
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.plummer import Plummer
from ksdp_cli.particles import tree_gpu
from ksdp_cli.particles.direct_cpu import DirectCPU
tree_gpu.LEAF = 32  # so that a small cloud has distant boxes
for kernel, dim, accuracy in ((Blob, 2, 1e-3), (Plummer, 3, 1e-2)):
    x = np.random.default_rng(0).normal(size=(1001, dim)).astype("float32")
    x[:400] *= 0.05
    engine = tree_gpu.TreeGPU(kernel, (1e-3,), dim, "float32", accuracy)
    force = engine(torch.from_numpy(x))
    exact = DirectCPU(kernel, (1e-3,), dim, "float64", 1)(x.astype("float64"))
    error = np.linalg.norm(force.numpy() - exact) / np.linalg.norm(exact)
    report = engine.report()
    assert report["met"] and error < 1.5 * accuracy, (error, report)
    assert abs(np.log(report["error"] / error)) < 0.7, (error, report)  # the sampled error tells the true one
    again = tree_gpu.TreeGPU(kernel, (1e-3,), dim, "float32", accuracy)
    assert torch.equal(again(torch.from_numpy(x)), force)
bad = torch.from_numpy(x.copy())
bad[3, 0] = float("nan")
assert torch.isnan(engine(bad)).all()
"""


def test_the_force_keeps_its_accuracy() -> None:
    done = subprocess.run(
        [sys.executable, "-c", INTERPRETED],
        env=os.environ | {"TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("dim", [2, 3])
def test_proxies_keep_polynomials_of_their_order(dim: int) -> None:
    """Anterpolation with n points a side is exact for polynomials of degree below n in each coordinate."""
    import torch

    from ksdp_cli.particles import tree_gpu

    n, x = 5, np.random.default_rng(1).normal(size=(333, dim))
    boxes = tree_gpu.build(torch.from_numpy(x), 32)
    places, weights = tree_gpu.proxies(boxes, n)
    exact = (x[:, 0] ** 4 * x[:, -1] ** 3).sum()
    for place, weight in zip(places, weights, strict=True):
        assert float((place[..., 0] ** 4 * place[..., -1] ** 3 * weight).sum()) == pytest.approx(exact, rel=1e-9)
        assert float(weight.sum()) == pytest.approx(len(x), rel=1e-12)


def test_every_pair_of_particles_is_heard_once() -> None:
    import torch

    from ksdp_cli.particles import tree_gpu

    n, x = 3, np.random.default_rng(2).normal(size=(1500, 2))
    boxes = tree_gpu.build(torch.from_numpy(x), 32)
    _, weights = tree_gpu.proxies(boxes, n)
    first, starts, lengths = tree_gpu.interactions(boxes, n, 1.0)
    weight = torch.cat([boxes.weight, *(part.reshape(-1) for part in weights)])
    for leaf in range(2**boxes.depth):
        runs = range(int(first[leaf]), int(first[leaf + 1]))
        heard = sum(float(weight[int(starts[i]) : int(starts[i] + lengths[i])].sum()) for i in runs)
        assert heard == pytest.approx(len(x), rel=1e-9)
    assert int(lengths.sum()) * boxes.leaf < 0.7 * len(x) ** 2
