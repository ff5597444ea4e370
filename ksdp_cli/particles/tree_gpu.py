"""The sub-quadratic pair sum on a GPU: particles of a leaf hear distant boxes through their Chebyshev proxies.

A treecode after Wilson, Vaughn and Krasny, Comput. Phys. Commun. 265 (2021) 108017, in O(J log J): all leaves walk down
the tree together, as arrays of (leaf, box) pairs, and a Triton program sums the runs of sources that each leaf has
listed. The tree and the lists are torch operations, so they run, and are tested, on any device. There are no atomics:
the result repeats to the bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from .direct_cpu import template
from .direct_gpu import require_torch
from .kernel_source import array_function, load_module
from .tree_accuracy import SAMPLE, Rung, Tuner

#: Particles of a leaf, and of a program's blocks. A large leaf keeps the lists short and the card busy.
LEAF, TARGETS, SOURCES = 512, 64, 64
#: Entries of the largest array of pairs in the float64 check.
CHECKED_PAIRS = 1 << 24


@dataclass
class Boxes:
    """A balanced tree: 2^depth leaves of ``leaf`` particles, node k of level l owning an equal run of them.

    ``c`` (P, d) in tree order, ``weight`` (P,) 1 or 0 for the copies that fill the last leaf, ``index`` (P,) places in
    the cloud, ``centre`` and ``half`` a list of (2^l, d) for each level.
    """

    c: Any
    weight: Any
    index: Any
    centre: list[Any]
    half: list[Any]
    leaf: int

    @property
    def depth(self) -> int:
        return len(self.centre) - 1


def build(x: Any, leaf: int) -> Boxes:
    """Median splits of the longest side, level by level: every level is one sort of each node's particles."""
    import torch

    count, dim = x.shape
    depth = max(0, math.ceil(math.log2(count / leaf)))
    leaf = -(-count // 2**depth)
    index = torch.arange(leaf * 2**depth, device=x.device) % count
    weight = (torch.arange(len(index), device=x.device) < count).to(x.dtype)
    c, centre, half = x[index], [], []
    for level in range(depth + 1):
        nodes = c.view(2**level, -1, dim)
        low, high = nodes.amin(1), nodes.amax(1)
        half.append((high - low) / 2)
        centre.append(low + half[-1])
        if level == depth:
            break
        axis = half[-1].argmax(1)
        key = nodes.gather(2, axis[:, None, None].expand(-1, nodes.shape[1], 1))[..., 0]
        order = key.sort(dim=1, stable=True).indices + nodes.shape[1] * torch.arange(2**level, device=x.device)[:, None]
        order = order.reshape(-1)
        c, weight, index = c[order], weight[order], index[order]
    return Boxes(c, weight, index, centre, half, leaf)


def basis(points: Any, n: int) -> Any:
    """Lagrange polynomials of the n Chebyshev points at ``points`` (..., m) in [-1, 1]: (..., m, n).

    L_a(t) = (1 + 2 sum_k T_k(t_a) T_k(t)) / n, k = 1 .. n - 1.
    """
    import torch

    nodes = chebyshev(n, points)
    here, there = [torch.ones_like(points), points], [torch.ones_like(nodes), nodes]
    for _ in range(n - 2):
        here.append(2 * points * here[-1] - here[-2])
        there.append(2 * nodes * there[-1] - there[-2])
    there[0] = there[0] / 2
    return torch.stack(here[:n], -1) @ torch.stack(there[:n], 0) * (2 / n)


def chebyshev(n: int, like: Any) -> Any:
    """The n Chebyshev points of the first kind, in the type and on the device of ``like``."""
    import torch

    odd = 2 * torch.arange(n, dtype=torch.float64, device=like.device) + 1
    return torch.cos(math.pi * odd / (2 * n)).to(like.dtype)


def proxies(boxes: Boxes, n: int) -> tuple[list[Any], list[Any]]:
    """Places (2^l, n^d, d) and weights (2^l, n^d) of the proxies of every level, from the leaves upwards."""
    import torch

    dim = boxes.c.shape[1]
    nodes = chebyshev(n, boxes.c)
    grid = torch.cartesian_prod(*[nodes] * dim)
    places = [centre[:, None] + half[:, None] * grid for centre, half in zip(boxes.centre, boxes.half, strict=True)]
    weights = [_anterpolate(boxes.c.view(2**boxes.depth, -1, dim), boxes.weight.view(2**boxes.depth, -1), boxes, n, -1)]
    for level in range(boxes.depth - 1, -1, -1):  # two children are the sources of their parent
        inside = places[level + 1].view(2**level, -1, dim)
        weights.insert(0, _anterpolate(inside, weights[0].view(2**level, -1), boxes, n, level))
    return places, weights


def _anterpolate(points: Any, weight: Any, boxes: Boxes, n: int, level: int) -> Any:
    """Weights (nodes, n^d) that stand for sources ``points`` (nodes, m, d) of ``weight`` (nodes, m)."""
    centre, half = boxes.centre[level], boxes.half[level]
    size = half.clamp(min=1e-30)
    t = ((points - centre[:, None]) / size[:, None]).clamp(-1, 1)
    axes = [basis(t[..., a], n) for a in range(points.shape[2])]
    left = axes[0] * weight[..., None]
    for more in axes[1:-1]:
        left = (left[..., :, None] * more[..., None, :]).flatten(-2)
    return (left.transpose(1, 2) @ axes[-1]).flatten(1)


def interactions(boxes: Boxes, n: int, opening: float) -> tuple[Any, Any, Any]:
    """What each leaf hears: (first, starts, lengths), runs in the array of particles and then proxies level by level.

    A box is heard through its proxies when its half sides are below ``opening`` times the gap, and it has more
    particles than proxies; a leaf box otherwise through its particles.
    """
    import torch

    device, dim, depth = boxes.c.device, boxes.c.shape[1], boxes.depth
    leaves, size = 2**depth, n**dim
    target, source = torch.arange(leaves, device=device), torch.zeros(leaves, dtype=torch.long, device=device)
    found = []
    for level in range(depth + 1):
        held = boxes.leaf * 2 ** (depth - level)
        apart = (boxes.centre[-1][target] - boxes.centre[level][source]).abs()
        gap = (apart - boxes.half[-1][target] - boxes.half[level][source]).clamp(min=0).square().sum(1)
        largest = boxes.half[level][source].amax(1).square()
        heard = (gap > 0) & (largest <= opening**2 * gap) & torch.tensor(held > size, device=device)
        base = len(boxes.c) + size * (2**level - 1)
        found.append((target[heard], base + size * source[heard], torch.full_like(target[heard], size)))
        target, source = target[~heard], source[~heard]
        if level < depth:
            target, source = target.repeat_interleave(2), (2 * source[:, None] + torch.tensor([0, 1], device=device))
            source = source.reshape(-1)
    found.append((target, boxes.leaf * source, torch.full_like(target, boxes.leaf)))
    target, starts, lengths = (torch.cat(part) for part in zip(*found, strict=True))
    order = target.sort(stable=True).indices
    first = torch.searchsorted(target[order], torch.arange(leaves + 1, device=device))
    return first.int(), starts[order].int(), lengths[order].int()


class TreeGPU:
    """F_j = sum over i != j of g(r_ij^2) (X_i - X_j), equation (8) without its factor, in O(J log J) on one GPU.

    ``accuracy`` is the relative l2 error of the force that is aimed at, measured as on the CPU. Positions are a torch
    tensor (J, d) on the device; so are the forces. Raises `ResourceError` without Triton.
    """

    name = "tree"

    def __init__(self, kernel: Any, kernel_args: tuple[float, ...], dim: int, dtype: str, accuracy: float) -> None:
        self.torch = require_torch()
        self.dim, self.args, self.dtype = dim, kernel_args, getattr(self.torch, dtype)
        self.list_sum = load_module(template("tree_gpu"), kernel, dim, "triton").list_sum
        self.g = array_function(kernel, dim, self.torch)
        self.tuner = Tuner(accuracy, ladder(dim, dtype))

    def __call__(self, x: Any) -> Any:
        """Forces (J, d) in the type and on the device of ``x`` (J, d); all NaN when a position is not finite."""
        positions = x.to(self.dtype)
        if len(x) < 2 or not bool(self.torch.isfinite(positions).all()):
            return self.torch.full_like(x, 0.0 if len(x) < 2 else math.nan)
        force = self.tuner.run(lambda rung: self._sum(positions, rung), lambda f, n: self._error(positions, f, n))
        return force.to(x.dtype)

    def report(self) -> dict[str, Any]:
        return {"engine": self.name, "device": "cuda", **self.tuner.report()}

    def state(self) -> dict[str, Any]:
        """What a resumed run needs to repeat this one to the bit."""
        return self.tuner.state()

    def restore(self, state: dict[str, Any]) -> None:
        """Take over the `state` of another engine of the same kind."""
        self.tuner.restore(state)

    def _sum(self, x: Any, rung: Rung) -> Any:
        torch, n = self.torch, int(rung.order)
        boxes = build(x, rung.leaf)
        places, weights = proxies(boxes, n)
        first, starts, lengths = interactions(boxes, n, rung.opening)
        targets = boxes.c.T.contiguous()
        sources = torch.cat([boxes.c, *(place.reshape(-1, self.dim) for place in places)]).T.contiguous()
        weight = torch.cat([boxes.weight, *(part.reshape(-1) for part in weights)])
        force = torch.empty((self.dim, len(boxes.c)), dtype=torch.float64, device=x.device)
        p = torch.tensor(self.args, dtype=self.dtype, device=x.device)
        grid = (2**boxes.depth, -(-boxes.leaf // TARGETS))
        count, room = targets.shape[1], sources.shape[1]
        self.list_sum[grid](
            targets,
            sources,
            weight,
            starts,
            lengths,
            first,
            force,
            p,
            count,
            room,
            boxes.leaf,
            TARGETS=TARGETS,
            SOURCES=SOURCES,
            enable_fp_fusion=True,  # Triton 3.10 changes the default
        )
        real = boxes.weight > 0
        out = torch.empty((len(x), self.dim), dtype=x.dtype, device=x.device)
        out[boxes.index[real]] = force.T[real].to(x.dtype)
        return out

    def _error(self, x: Any, force: Any, number: int) -> tuple[float, float]:
        """As `tree_accuracy.sampled_error`, the direct sum in float64 on the device."""
        torch = self.torch
        draw = torch.Generator().manual_seed(number)
        sample = torch.randperm(len(x), generator=draw)[:SAMPLE].to(x.device)
        wide = x.double()
        exact = torch.empty((len(sample), self.dim), dtype=torch.float64, device=x.device)
        step = max(1, CHECKED_PAIRS // len(x))
        for begin in range(0, len(sample), step):
            away = wide - wide[sample[begin : begin + step], None]
            w = self.g(away.square().sum(2) + 1e-24, *self.args)
            exact[begin : begin + step] = (w[..., None] * away).sum(1)
        wrong = (force[sample].double() - exact).norm(dim=1)
        scale = float(exact.square().sum(1).mean().sqrt())
        if scale == 0.0:
            return (0.0, 0.0) if not bool(wrong.any()) else (math.inf, math.inf)
        return float(wrong.square().mean().sqrt()) / scale, float(wrong.max()) / scale


def ladder(dim: int, dtype: str) -> list[Rung]:
    """Orders with opening 1, then smaller openings; in float32 they end where rounding takes over."""
    last = (8 if dtype == "float32" else 14) if dim == 2 else 9
    rungs = [Rung(float(n), 0.0, 1.0, LEAF) for n in range(3, last + 1)]
    return rungs + [Rung(float(last), 0.0, opening, LEAF) for opening in (0.7, 0.5)]
