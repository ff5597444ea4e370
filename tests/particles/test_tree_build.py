"""The balanced tree, and what proxies keep of a cloud."""

from __future__ import annotations

import numpy as np
import pytest

from ksdp_cli.initial.ball import Ball
from ksdp_cli.particles.tree.build import grow, plant
from ksdp_cli.particles.tree.proxies import leaf_moments, upward, workspace


def build(x: np.ndarray, leaf: int):  # type: ignore[no-untyped-def]
    tree = plant(x, leaf)
    grow(tree, 0, tree.depth, 0)
    return tree


@pytest.mark.parametrize("dim", [2, 3])
@pytest.mark.parametrize("count", [1, 2, 63, 64, 65, 1000, 12_345])
def test_a_tree_is_balanced_and_its_boxes_are_tight(count: int, dim: int) -> None:
    x = Ball().draw(count, dim, seed=1)
    x[count // 2 :] = x[count // 2]  # half of the cloud is one point
    tree = build(x, 16)
    np.testing.assert_array_equal(tree.c.T, x[tree.index])
    np.testing.assert_array_equal(np.sort(tree.index), np.arange(count))
    for level in range(tree.depth + 1):
        for m in range(2**level):
            node, part = 2**level - 1 + m, slice((m * count) >> level, ((m + 1) * count) >> level)
            inside = tree.c[:, part]
            assert inside.shape[1] > 0
            np.testing.assert_allclose(inside.min(1), tree.centre[node] - tree.half[node], atol=1e-6)
            np.testing.assert_allclose(inside.max(1), tree.centre[node] + tree.half[node], atol=1e-6)
            if level < tree.depth:
                axis = int(np.argmax(tree.half[node]))
                middle = ((2 * m + 1) * count) >> (level + 1)
                assert tree.c[axis, part.start : middle].max() <= tree.c[axis, middle : part.stop].min()


@pytest.mark.parametrize("dim", [2, 3])
def test_weights_of_the_root_sum_polynomials_exactly(dim: int) -> None:
    """Anterpolation with order n through all levels keeps sum_i P(x_i) for every P of degree below n."""
    x = Ball().draw(3000, dim, seed=2).astype(np.float64)
    tree = build(x, 32)
    orders = np.full(tree.depth + 1, 4)
    w = workspace(tree.c, tree.centre, tree.half, orders, orders)
    leaf_moments(0, 2**tree.depth, *w[2:8])
    upward(0, 0, tree.depth, *w[:8])
    axes = [tree.centre[0, a] + tree.half[0, a] * w.nodes[4, :4] for a in range(dim)]
    proxies = np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")])
    q = w.q[: 4**dim]
    for power in np.ndindex(*(4,) * dim):
        exact = np.prod([x[:, a] ** p for a, p in enumerate(power)], axis=0).sum()
        assert np.prod([proxies[a] ** p for a, p in enumerate(power)], axis=0) @ q == pytest.approx(exact, abs=1e-9)
