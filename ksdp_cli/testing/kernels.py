"""The contract of a kernel, `ksdp_cli.kernels.base.Kernel`."""

from __future__ import annotations

import importlib.util
import math

import numpy as np
from numpy.typing import NDArray

from ..base.shapes import Cloud
from ..initial.ball import Ball
from ..kernels.base import dims_of
from ..particles.engines.choice import make_engine
from ..particles.engines.direct_cpu import DirectCPU
from ..particles.kernel_compiler.source import array_function, kernel_function, parameter_count, source
from .contract import name_of, require, require_params

#: Distances tried, in delta and absolute, and how many: a factor of two holds ten of them.
NEAREST, FARTHEST, COUNT = 1e-3, 10.0, 180
#: Error of a compiled kernel beside the largest |g| within a factor of two in r.
TOLERANCE = {"float32": 1e-4, "float64": 1e-11}
#: What is smaller than this part of the largest |g| counts as nothing: exponentials underflow.
UNDERFLOW = 1e-30
#: Where attraction must have won, in delta.
CORE = 4.0
ACCURACY, TREE_PARTICLES = 1e-4, 3000


def check_kernel(kernel: object, parameters: dict[str, float] | None = None, *, delta2: float = 1e-3) -> None:
    """Check a kernel class in each of its dimensions, with ``parameters`` instead of the defaults where given.

    Checked: ``Params``, and that g takes r2, delta2 and its fields; the body keeps to the language of kernels, for the
    CPU, arrays and the GPU; g is finite for 1e-3 delta <= r <= 10, positive at 4 delta and nowhere negative beyond.
    Compiled, it is within 1e-4 (float32) and 1e-11 (float64) of the Python function, relative to the largest |g| within
    a factor of two in r: a difference of nearly equal numbers shows here. The direct sums agree with a brute-force sum
    in float64 as closely, relative to the sum of the pair forces' sizes, on a cloud with a clump. The tree reaches
    twice its target accuracy of 1e-4 on 3000 particles. Where there is a GPU, and Triton, its direct sum is
    checked too.

    Raises `AssertionError`, and `ConfigError` for a body outside of the language. Compiles for some seconds.
    """
    name, dims = name_of(kernel), dims_of(kernel)
    require(dims, f"{name} has no static method g2d or g3d")
    values = require_params(kernel, parameters)
    args = (delta2, *(float(value) for value in values.model_dump().values()))
    for dim in dims:
        count = parameter_count(kernel, dim)
        require(
            count == len(args),
            f"{name}.g{dim}d takes {count} arguments after r2, and delta2 with the fields of Params are {len(args)}",
        )
        for target in ("float32", "float64", "array", "triton"):
            source(kernel, dim, target)
        r = np.geomspace(NEAREST * math.sqrt(delta2), FARTHEST, COUNT)
        exact = _plain(kernel, name, dim, r * r, args)
        _check_sign(name, dim, r / math.sqrt(delta2), exact)
        _check_compiled(kernel, name, dim, r, args)
        _check_direct(kernel, name, dim, args)
        _check_tree(kernel, name, dim, args)


def _plain(
    kernel: object, name: str, dim: int, r2: NDArray[np.float64], args: tuple[float, ...]
) -> NDArray[np.float64]:
    """g by the Python function as it stands."""
    g = kernel_function(kernel, dim)
    values = np.empty(len(r2))
    for i, value in enumerate(r2):
        try:
            values[i] = g(float(value), *args)
        except ArithmeticError as error:
            raise AssertionError(f"{name}.g{dim}d fails at r = {math.sqrt(value):.3g}: {error}") from error
        except ValueError as error:
            raise AssertionError(f"{name}.g{dim}d is not defined at r = {math.sqrt(value):.3g}: {error}") from error
        require(math.isfinite(values[i]), f"{name}.g{dim}d is {values[i]} at r = {math.sqrt(value):.3g}")
    return values


def _check_sign(name: str, dim: int, s: NDArray[np.float64], g: NDArray[np.float64]) -> None:
    """Attraction is positive; a core that repels, as that of `eq7`, is allowed. ``s`` is r / delta."""
    beyond = s >= CORE
    first = g[beyond][0]
    require(first > 0, f"{name}.g{dim}d is {first:.3g} at r = 4 delta: attraction is positive, so g must be > 0 there")
    lowest = int(np.where(beyond, g, np.inf).argmin())
    require(g[lowest] >= 0, f"{name}.g{dim}d is {g[lowest]:.3g} at r = {s[lowest]:.3g} delta, where it must attract")


def _check_compiled(kernel: object, name: str, dim: int, r: NDArray[np.float64], args: tuple[float, ...]) -> None:
    import torch
    from scipy.ndimage import maximum_filter1d

    torch_g = array_function(kernel, dim, torch)
    for dtype, tolerance in TOLERANCE.items():
        at = r.astype(dtype)
        r2 = (at * at).astype(np.float64)
        exact = _plain(kernel, name, dim, r2, args)
        nearby = np.maximum(maximum_filter1d(np.abs(exact), 21), UNDERFLOW * np.abs(exact).max())
        results = {
            "the CPU loop": _compile(kernel, dim, dtype, at, args),
            "torch": torch_g(torch.from_numpy(at * at), *args).numpy().astype(np.float64),
        }
        if dtype == "float64":
            results["NumPy"] = array_function(kernel, dim)(r2, *args)
        for where, values in results.items():
            error = np.abs(values - exact) / nearby
            worst = int(np.where(np.isfinite(error), error, np.inf).argmax())
            require(
                error[worst] <= tolerance,
                f"{name}.g{dim}d in {dtype} ({where}) is {values[worst]:.9g} at r = {r[worst]:.3g}, and the Python "
                f"function gives {exact[worst]:.9g}: the formula loses digits there, or calls what arrays do otherwise",
            )


def _compile(
    kernel: object, dim: int, dtype: str, r: NDArray[np.floating], args: tuple[float, ...]
) -> NDArray[np.float64]:
    """g in the compiled loop: the force of one source at the origin on targets along the first axis, over r."""
    engine = DirectCPU(kernel, args, dim, dtype, threads=1)
    zero, force = np.zeros_like(r), np.zeros((dim, len(r)))
    sources = [np.zeros(1, dtype)] * dim
    engine.accumulate(-r, *[zero] * (dim - 1), *sources, *force, engine.args)
    return np.asarray(force[0] / r.astype(np.float64))


def _check_direct(kernel: object, name: str, dim: int, args: tuple[float, ...]) -> None:
    import torch

    ball = Ball().draw(300, dim, 7)
    cloud = np.concatenate([ball[:200], 0.5 + 0.02 * ball[200:]])
    for dtype, tolerance in TOLERANCE.items():
        x = cloud.astype(dtype)
        exact, size = _brute_force(kernel, dim, x, args)
        results = {"the CPU": DirectCPU(kernel, args, dim, dtype)(x)}
        if torch.cuda.is_available() and importlib.util.find_spec("triton") is not None:
            engine = make_engine(kernel, args, dim, dtype, len(x), name="direct", device="cuda")
            results["the GPU"] = engine(torch.from_numpy(x).cuda()).cpu().numpy()
        for where, force in results.items():
            worst = float((np.linalg.norm(force - exact, axis=1) / size).max())
            require(
                worst <= tolerance,
                f"{name} in {dim}D: the direct sum on {where} in {dtype} is {worst:.2g} of the pair forces off the "
                "brute-force sum in float64",
            )


def _brute_force(kernel: object, dim: int, x: Cloud, args: tuple[float, ...]) -> tuple[Cloud, NDArray[np.float64]]:
    """Forces (J, d) by the Python function in float64, and for each target the sum of the pair forces' sizes."""
    d = x[None].astype(np.float64) - x[:, None]
    r2 = (d * d).sum(-1)
    g = array_function(kernel, dim)(np.where(r2 > 0, r2, 1.0), *args)
    pair = np.where(r2 > 0, g, 0.0)[..., None] * d
    return pair.sum(1), np.linalg.norm(pair, axis=2).sum(1)


def _check_tree(kernel: object, name: str, dim: int, args: tuple[float, ...]) -> None:
    x = Ball().draw(TREE_PARTICLES, dim, 8).astype(np.float64)
    x[: TREE_PARTICLES // 3] *= 0.1
    tree = make_engine(kernel, args, dim, "float64", len(x), name="tree", accuracy=ACCURACY)(x)
    exact = make_engine(kernel, args, dim, "float64", len(x), name="direct")(x)
    error = float(np.linalg.norm(tree - exact) / np.linalg.norm(exact))
    require(
        error <= 2 * ACCURACY,
        f"{name} in {dim}D: the tree engine's error is {error:.2g} for a target of {ACCURACY:g}: g must be smooth",
    )
