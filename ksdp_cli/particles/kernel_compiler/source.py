"""Source text for every engine, generated from a kernel's one scalar function.

A kernel is written once, as ``g2d``/``g3d(r2, delta2, *parameters)`` in plain Python and ``math`` (the contract is
`ksdp_cli.kernels.base`). Its syntax tree is checked and translated for a target:

- ``float32`` and ``float64``: Numba functions, with logarithm, exponential and error function from `fast_math`, since
  library functions prevent vectorisation, and ``a if c else b`` as a select without a branch;
- ``array``: NumPy or torch, conditional expressions as ``where`` (`array_function`);
- ``triton``: functions for GPU programs.

An engine gets its loops from ``load_module(template, kernel, dim, dtype)``. The template is the text of a Python module
that calls ``g(r2, PARAMS)``. In the template

- ``PARAMS`` stands for "p0, p1, ...", p0 = delta^2; ``UNPACK`` for a line that sets them from an array ``p``;
- ``g`` is a Numba function of scalars of type ``REAL`` (``np.float32`` or ``np.float64``), inlined into its caller. The
  kernel is ``SCALE * g``; apply the constant factor SCALE, a Python number, outside of the loop (not for ``triton``);
- ``np``, ``njit`` with its options ``PLAIN`` and ``INNER``, ``FAST`` and ``select(c, a, b)`` are defined;
- lines from ``#2D`` or ``#3D`` to the next mark or ``#END`` are kept for that dimension only.

Constants in a float32 template need a type, ``REAL(0.5)``: a plain 0.5 turns the whole loop into float64. Functions of
arrays have ``@njit(**PLAIN)``, or ``@njit(**INNER)`` if only compiled functions call them. The module is written to a
cache folder under a name derived from its content, so that Numba's cache works for the next process. (Numba does not
cache a function that is passed as an argument.)
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable
from typing import Any

from ...errors import ConfigError
from ...kernels.base import dims_of
from .language import RULES
from .module_cache import import_text
from .writer import Writer

_NUMBA = "import numpy as np\nfrom ksdp_cli.base.compiled import INNER, PLAIN, njit\nfrom math import sqrt, fabs\n"
_FAST_MATH = (
    "from ksdp_cli.particles.kernel_compiler.fast_math import "
    "FAST, erf{0} as erf, exp{0} as exp, log{0} as log, select\n"
)
PRELUDES = {
    "float32": _NUMBA + _FAST_MATH.format(32) + "\nREAL = np.float32\n",
    "float64": _NUMBA + _FAST_MATH.format(64) + "\nREAL = np.float64\n",
    "array": "",
    "triton": "import triton\nimport triton.language as tl\n"
    "from ksdp_cli.particles.kernel_compiler.gpu_math import erf, exp, fabs, log2, rcp, rsqrt, sqrt\n",
}


def kernel_function(kernel: object, dim: int) -> Callable[..., float]:
    """Return ``g2d`` or ``g3d`` of a kernel class. Raises `ConfigError` for a dimension that it does not support."""
    if dim not in dims_of(kernel):
        has = " and ".join(str(d) for d in dims_of(kernel)) or "none"
        raise ConfigError(f"kernel {_name(kernel)} has dimension {has}, not {dim}", "change --dim or --kernel")
    function: Callable[..., Any] = getattr(kernel, f"g{dim}d")
    return function


def parameter_count(kernel: object, dim: int) -> int:
    """Number of arguments of g after r^2."""
    return len(inspect.signature(kernel_function(kernel, dim)).parameters) - 1


def source(kernel: object, dim: int, target: str) -> str:
    """Return the text of ``g`` and its helpers for a target: ``float32``, ``float64``, ``array`` or ``triton``.

    Raises `ConfigError` with the kernel, the line and the construct that is not allowed.
    """
    writer = Writer(_name(kernel), target)
    if writer.write(kernel_function(kernel, dim), "g") < 2:
        raise ConfigError(f"kernel {_name(kernel)}: g{dim}d takes r2, delta2 and its parameters", RULES)
    scale = {"array": [], "triton": [f"SCALE = tl.constexpr({writer.scale!r})\n"]}.get(
        target, [f"SCALE = {writer.scale!r}\n"]
    )
    return "\n\n".join(scale + writer.texts)


def array_function(kernel: object, dim: int, xp: Any = None) -> Callable[..., Any]:
    """Return ``g(r2, delta2, *parameters)`` as a function of NumPy arrays, or of tensors with ``xp=torch``."""
    text = source(kernel, dim, "array")
    if xp is None:
        import numpy

        space: dict[str, Any] = {name: getattr(numpy, name) for name in ("sqrt", "exp", "log", "fabs", "where")}
        if "erf(" in text:
            from scipy.special import erf

            space["erf"] = erf
    else:

        def lifted(name: str) -> Callable[..., object]:
            # a 0-d float64 tensor does not widen a float32 tensor
            return lambda value: getattr(xp, name)(
                value if isinstance(value, xp.Tensor) else xp.as_tensor(value, dtype=xp.float64)
            )

        space = {name: lifted(name) for name in ("sqrt", "exp", "log", "erf")}
        space |= {"fabs": lifted("abs"), "where": xp.where}
    exec(text, space)
    function: Callable[..., Any] = space["g"]
    return function


def load_module(template: str, kernel: object, dim: int, dtype: str) -> types.ModuleType:
    """Import ``template`` compiled around the kernel's ``g`` in dimension ``dim``.

    ``dtype`` is the target: ``float32``, ``float64`` or ``triton``. The module docstring defines the template.
    """
    text = source(kernel, dim, dtype)
    names = [f"p{i}" for i in range(parameter_count(kernel, dim))]
    body = for_dimension(template, dim).replace("PARAMS", ", ".join(names))
    take = "tl.load(p + {})" if dtype == "triton" else "p[{}]"
    body = body.replace("UNPACK", "; ".join(f"{name} = {take.format(i)}" for i, name in enumerate(names)))
    return import_text("\n\n".join([PRELUDES[dtype], text, body]), f"{_name(kernel).lower()}_{dim}d_{dtype}")


def for_dimension(template: str, dim: int) -> str:
    """Keep the lines of ``template`` for ``dim``: those outside marks and those after ``#2D`` or ``#3D``."""
    lines, keep = [], True
    for line in template.splitlines():
        mark = line.strip()
        if mark in ("#2D", "#3D", "#END"):
            keep = mark in (f"#{dim}D", "#END")
        elif keep:
            lines.append(line)
    return "\n".join(lines) + "\n"


def _name(kernel: object) -> str:
    return str(getattr(kernel, "__name__", type(kernel).__name__))
