"""Compiled loops of the network on the CPU: forward pass, and loss with gradient, tile by tile.

A tile is 256 points stored feature by feature (feature k of point p at k * 256 + p). Every loop runs along points in
full vector registers, and the activations of all layers stay in the second-level cache. It uses no BLAS, whose threads
would compete with ours and whose sums depend on the number of threads.

What other compiled code calls is inlined: a function that is not lies in the object code of each caller, optimised and
rounded in each another way, and which of these a process runs hangs on what it loaded or compiled first.

``theta`` is one flat float32 vector, W_0, b_0, W_1, b_1, ... with W_i (outputs, inputs) row by row.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ...base.compiled import njit

f32, u64 = np.float32, np.uint64
Single: TypeAlias = NDArray[np.float32]
Sizes: TypeAlias = NDArray[np.int64]
#: Points of a tile. All indices are unsigned: an index that could be negative prevents vectorisation.
TILE = u64(256)
#: Numbers in a cache line.
LINE = 16
ONE, THREE, FIVE = u64(1), u64(3), u64(5)


@njit(fastmath=True, error_model="numpy", nogil=True, cache=True, forceinline=True)
def _affine(weight: Single, bias: Single, h: Single, z: Single) -> None:
    """z <- weight h + bias for a tile, in blocks of 3 outputs by 5 inputs that fill the registers."""
    outs = u64(bias.size)
    ins = u64(weight.size) // outs
    for row in range(outs):
        for p in range(TILE):
            z[row * TILE + p] = bias[row]
    o = u64(0)
    while o < outs:
        i, at = u64(0), o * TILE
        block = o + THREE <= outs
        while block and i + FIVE <= ins:
            at_i = o * ins + i
            a = weight[at_i : at_i + FIVE]
            b = weight[at_i + ins : at_i + ins + FIVE]
            c = weight[at_i + ins + ins : at_i + ins + ins + FIVE]
            a0, a1, a2, a3, a4 = a[0], a[1], a[2], a[3], a[4]
            b0, b1, b2, b3, b4 = b[0], b[1], b[2], b[3], b[4]
            c0, c1, c2, c3, c4 = c[0], c[1], c[2], c[3], c[4]
            k = i * TILE
            for p in range(TILE):
                x0, x1, x2 = h[k + p], h[k + TILE + p], h[k + u64(2) * TILE + p]
                x3, x4 = h[k + u64(3) * TILE + p], h[k + u64(4) * TILE + p]
                z[at + p] += a0 * x0 + a1 * x1 + a2 * x2 + a3 * x3 + a4 * x4
                z[at + TILE + p] += b0 * x0 + b1 * x1 + b2 * x2 + b3 * x3 + b4 * x4
                z[at + u64(2) * TILE + p] += c0 * x0 + c1 * x1 + c2 * x2 + c3 * x3 + c4 * x4
            i += FIVE
        width = THREE if block else ONE
        while i < ins:
            for q in range(width):
                factor = weight[(o + q) * ins + i]
                for p in range(TILE):
                    z[at + q * TILE + p] += factor * h[i * TILE + p]
            i += ONE
        o += width


@njit(fastmath=True, error_model="numpy", nogil=True, cache=True, forceinline=True)
def _outer(flow: Single, h: Single, slopes: Single, outs: int | np.uint64, ins: int | np.uint64) -> None:
    """slopes (outs, ins) += flow h^T over a tile, in blocks of 3 by 3 sums."""
    o = u64(0)
    while o < outs:
        i, a = u64(0), o * TILE
        rows = o + THREE <= outs
        while rows and i + THREE <= ins:
            b = i * TILE
            s00 = s01 = s02 = s10 = s11 = s12 = s20 = s21 = s22 = f32(0.0)
            for p in range(TILE):
                x, y, z = flow[a + p], flow[a + TILE + p], flow[a + u64(2) * TILE + p]
                u, v, w = h[b + p], h[b + TILE + p], h[b + u64(2) * TILE + p]
                s00 += x * u
                s01 += x * v
                s02 += x * w
                s10 += y * u
                s11 += y * v
                s12 += y * w
                s20 += z * u
                s21 += z * v
                s22 += z * w
            at = o * ins + i
            for row in ((s00, s01, s02), (s10, s11, s12), (s20, s21, s22)):
                slopes[at] += row[0]
                slopes[at + ONE] += row[1]
                slopes[at + u64(2)] += row[2]
                at += ins
            i += THREE
        width = THREE if rows else ONE
        while i < ins:
            for q in range(width):
                total = f32(0.0)
                for p in range(TILE):
                    total += flow[a + q * TILE + p] * h[i * TILE + p]
                slopes[(o + q) * ins + i] += total
            i += ONE
        o += width


@njit(fastmath=True, error_model="numpy", nogil=True, cache=True, forceinline=True)
def _tanh(h: Single) -> None:
    """h <- tanh(h) by the rational approximation of Eigen's `ptanh`; absolute error below 3e-7, tested."""
    for i in range(h.size):
        v = min(max(h[i], f32(-9.0)), f32(9.0))
        z = v * v
        p = f32(-2.76076847742355e-16)
        p = p * z + f32(2.00018790482477e-13)
        p = p * z + f32(-8.60467152213735e-11)
        p = p * z + f32(5.12229709037114e-08)
        p = p * z + f32(1.48572235717979e-05)
        p = p * z + f32(6.37261928875436e-04)
        p = p * z + f32(4.89352455891786e-03)
        q = f32(1.19825839466702e-06)
        q = q * z + f32(1.18534705686654e-04)
        q = q * z + f32(2.26843463243900e-03)
        q = q * z + f32(4.89352518554385e-03)
        h[i] = v * p / q


@njit(fastmath=True, error_model="numpy", nogil=True, cache=True, forceinline=True)
def _through_tanh(flow: Single, h: Single) -> None:
    """flow <- flow (1 - h^2): back through h = tanh(z)."""
    for i in range(flow.size):
        flow[i] = flow[i] * (f32(1.0) - h[i] * h[i])


@njit(nogil=True, cache=True, forceinline=True)
def _read(x: Single, first: int, count: int, h: Single) -> None:
    """Copy points from ``first`` on into a tile; fill it with zeros after ``count`` points."""
    for k in range(x.shape[1]):
        column = h[k * TILE : (k + 1) * TILE]
        for p in range(count):
            column[p] = x[first + p, k]
        column[count:] = f32(0.0)


@njit(nogil=True, cache=True, forceinline=True)
def _layers(theta: Single, sizes: Sizes, h: Single) -> None:
    """Activations of all layers from those of the first, ``h[0]``; the last layer is linear."""
    at = 0
    for level in range(len(sizes) - 1):
        ins, outs = sizes[level], sizes[level + 1]
        edge = at + outs * ins
        _affine(theta[at:edge], theta[edge : edge + outs], h[level], h[level + 1])
        if level < len(sizes) - 2:
            _tanh(h[level + 1][: outs * int(TILE)])
        at += outs * ins + outs


@njit(fastmath=True, error_model="numpy", nogil=True, cache=True, forceinline=True)
def _combine(
    rows: Single, first: int, count: int, ins: int, heads: int, residual: bool, last: Single, f: Single
) -> None:
    """f (TILE, d) <- sum over heads of coefficient times output, plus x in a residual form."""
    tile, dim = int(TILE), f.shape[1]
    for k in range(dim):
        for p in range(count):
            total = rows[first + p, k] if residual else f32(0.0)
            if heads == 0:
                total += last[k * tile + p]
            for head in range(heads):
                total += rows[first + p, ins + head] * last[(head * dim + k) * tile + p]
            f[p, k] = total


@njit(nogil=True, cache=True, forceinline=True)
def _tiles(layers: int, features: int) -> Single:
    """Room for tiles (layers, features * TILE) that begins at a cache line: loads across two lines cost a quarter."""
    width = features * int(TILE)
    room = np.empty(layers * width + LINE, f32)
    first = -(room.ctypes.data // 4) % LINE
    return room[first : first + layers * width].reshape(layers, width)


@njit(nogil=True, cache=True)
def forward(theta: Single, sizes: Sizes, heads: int, residual: bool, rows: Single, out: Single) -> None:
    """out (n, d) <- f for ``rows`` (n, sizes[0] + heads): inputs, then the coefficients of the heads.

    The last layer has max(heads, 1) blocks of d outputs; f is their sum weighted by the coefficients.
    """
    tile = int(TILE)
    h, f = _tiles(len(sizes), sizes.max()), np.empty((tile, out.shape[1]), f32)
    for first in range(0, len(rows), tile):
        count = min(tile, len(rows) - first)
        _read(rows[:, : sizes[0]], first, count, h[0])
        _layers(theta, sizes, h)
        _combine(rows, first, count, sizes[0], heads, residual, h[len(sizes) - 1], f)
        out[first : first + count] = f[:count]


@njit(nogil=True, cache=True)
def loss_and_slopes(
    theta: Single, sizes: Sizes, heads: int, residual: bool, rows: Single, y: Single, slopes: Single
) -> float:
    """sum |f - y|^2 over ``rows`` as in `forward` and ``y`` (n, d); half its gradient goes to ``slopes``."""
    tile, last, dim = int(TILE), len(sizes) - 2, y.shape[1]
    h, back, f = _tiles(len(sizes), sizes.max()), _tiles(2, sizes.max()), np.empty((tile, dim), f32)
    flow, below = back[0], back[1]
    transposed, none = np.empty(theta.size, f32), np.zeros(sizes.max(), f32)
    at = 0
    for level in range(last + 1):
        ins, outs = sizes[level], sizes[level + 1]
        for o in range(outs):
            for i in range(ins):
                transposed[at + i * outs + o] = theta[at + o * ins + i]
        at += outs * ins + outs
    slopes[:] = f32(0.0)
    total = 0.0
    for first in range(0, len(rows), tile):
        count = min(tile, len(rows) - first)
        _read(rows[:, : sizes[0]], first, count, h[0])
        _layers(theta, sizes, h)
        _combine(rows, first, count, sizes[0], heads, residual, h[last + 1], f)
        flow[: sizes[-1] * tile] = f32(0.0)
        for k in range(dim):
            for p in range(count):
                error = f[p, k] - y[first + p, k]
                total += float(error) * float(error)
                if heads == 0:
                    flow[k * tile + p] = error
                for head in range(heads):
                    flow[(head * dim + k) * tile + p] = error * rows[first + p, sizes[0] + head]
        at = theta.size
        for level in range(last, -1, -1):
            ins, outs = sizes[level], sizes[level + 1]
            at -= outs * ins + outs
            _outer(flow, h[level], slopes[at : at + outs * ins], u64(outs), u64(ins))
            for o in range(outs):
                slopes[at + outs * ins + o] += flow[o * tile : (o + 1) * tile].sum()
            if level:
                _affine(transposed[at : at + outs * ins], none[:ins], flow, below)
                _through_tanh(below[: ins * tile], h[level])
                flow, below = below, flow
    return total
