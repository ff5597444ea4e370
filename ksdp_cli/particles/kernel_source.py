"""From a kernel's one scalar function to the source text of every engine.

A kernel is written once, as ``g2d``/``g3d(r2, delta2, *parameters)`` in plain Python and ``math`` (the contract is in
`ksdp_cli.kernels.base`). Its syntax tree is checked and written out again for a target:

- ``float32`` and ``float64``: a Numba function ``g(r2, p0, p1, ...)``; in float32 the logarithm, exponential and error
  function are polynomials (`fast_math`), because the library ones stop a loop from being vectorised;
- ``array``: NumPy or torch, conditional expressions as ``where``;
- ``triton``: a function for GPU programs.

``load_module(template, kernel, dim, dtype)`` is how an engine gets its loops: the template is the text of a Python
module that calls ``g(r2, *p)``, with ``PARAMS`` for "p0, p1, ..." and ``UNPACK`` for a line that sets them from an
array ``p``. The module is written to a cache folder under a name that its contents decide, so that Numba's own cache
serves the next process: a Numba function that is handed over as an argument is never cached.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import math
import os
import sys
import tempfile
import textwrap
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..errors import ConfigError
from ..kernels.base import dims_of

FUNCTIONS = ("sqrt", "exp", "log", "erf", "fabs")
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
PRELUDES = {
    "float32": "from ksdp_cli.particles.fast_math import erf32 as erf, exp32 as exp, log32 as log\n"
    "from math import sqrt, fabs\n",
    "float64": "from math import sqrt, exp, log, erf, fabs\n",
    "array": "",
    "triton": "import triton\nimport triton.language as tl\n",
}


class _Writer:
    """Writes one function, and the helpers that it calls, for a target."""

    def __init__(self, kernel: str, target: str) -> None:
        self.kernel, self.target = kernel, target
        self.helpers: dict[str, str] = {}

    def function(self, function: Callable[..., Any], name: str) -> str:
        tree = self._tree(function)
        scope = dict(inspect.getclosurevars(function).globals)
        scope |= dict(inspect.getclosurevars(function).nonlocals)
        arguments = [argument.arg for argument in tree.args.args]
        lines, local = [], set(arguments)
        for statement in tree.body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # the docstring
            if isinstance(statement, ast.Return) and statement.value is not None:
                lines.append(f"    return {self._expression(statement.value, local, scope)}")
                break
            target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
            value = getattr(statement, "value", None)
            if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or not isinstance(target, ast.Name) or not value:
                raise self._refuse(statement, "only 'name = expression' and one 'return expression' may stand there")
            lines.append(f"    {target.id} = {self._expression(value, local, scope)}")
            local.add(target.id)
        else:
            raise self._refuse(tree, "it must end in 'return expression'")
        decorator = {"triton": "@triton.jit\n", "array": ""}.get(
            self.target, "@njit(fastmath=FAST, inline='always', error_model='numpy')\n"
        )
        return f"{decorator}def {name}({', '.join(arguments)}):\n" + "\n".join(lines) + "\n"

    def _tree(self, function: Callable[..., Any]) -> ast.FunctionDef:
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
        except (OSError, TypeError, SyntaxError) as error:
            raise ConfigError(
                f"the source of kernel {self.kernel} cannot be read: {error}", "define it with def, in a file or a cell"
            ) from None
        if not isinstance(tree, ast.FunctionDef):
            raise self._refuse(tree, "it must be written with def")
        return tree

    def _expression(self, node: ast.expr, local: set[str], scope: dict[str, Any]) -> str:
        def go(part: ast.expr) -> str:
            return self._expression(part, local, scope)

        if isinstance(node, ast.Constant) and isinstance(node.value, (int, float)):
            return self._constant(float(node.value))
        if isinstance(node, ast.Name):
            if node.id in local:
                return node.id
            value = scope.get(node.id)
            if isinstance(value, (int, float)):
                return self._constant(float(value))
            raise self._refuse(node, f"{node.id!r} is neither an argument, a local name nor a number of the module")
        if isinstance(node, ast.Attribute) and self._math_name(node, scope) == "pi":
            return self._constant(math.pi)
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return f"({go(node.left)} {OPERATORS[type(node.op)]} {go(node.right)})"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            return self._power(node, go(node.left))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            return f"(-{go(node.operand)})" if isinstance(node.op, ast.USub) else go(node.operand)
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
            return f"({go(node.left)} {COMPARISONS[type(node.ops[0])]} {go(node.comparators[0])})"
        if isinstance(node, ast.IfExp):
            test, then, other = go(node.test), go(node.body), go(node.orelse)
            where = {"array": "xp.where", "triton": "tl.where"}.get(self.target)
            return f"{where}({test}, {then}, {other})" if where else f"({then} if {test} else {other})"
        if isinstance(node, ast.Call) and not node.keywords:
            return f"{self._callee(node, scope)}({', '.join(go(argument) for argument in node.args)})"
        raise self._refuse(node, f"{ast.unparse(node)!r} is not allowed")

    def _callee(self, node: ast.Call, scope: dict[str, Any]) -> str:
        name = self._math_name(node.func, scope)
        if name in FUNCTIONS:
            if self.target == "array":
                return f"xp.{'abs' if name == 'fabs' else name}"
            return f"tl.{'abs' if name == 'fabs' else name}" if self.target == "triton" else name
        helper = scope.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if isinstance(helper, types.FunctionType):
            if helper.__name__ not in self.helpers:
                self.helpers[helper.__name__] = ""  # stands there first: a recursion must end
                self.helpers[helper.__name__] = self.function(helper, helper.__name__)
            return helper.__name__
        raise self._refuse(node, f"{ast.unparse(node.func)!r} is none of math's {', '.join(FUNCTIONS)}")

    def _math_name(self, node: ast.expr, scope: dict[str, Any]) -> str | None:
        """``sqrt`` for ``math.sqrt`` and for ``sqrt`` imported from math."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return node.attr if scope.get(node.value.id) is math else None
        if isinstance(node, ast.Name) and scope.get(node.id) is getattr(math, node.id, node):
            return node.id
        return None

    def _power(self, node: ast.BinOp, base: str) -> str:
        exponent = node.right.value if isinstance(node.right, ast.Constant) else None
        if isinstance(exponent, int) and 1 <= exponent <= 8:
            return "(" + " * ".join([base] * exponent) + ")"
        raise self._refuse(node, "a power must be a whole number from 1 to 8; use sqrt, exp and log for others")

    def _constant(self, value: float) -> str:
        return f"np.float32({value!r})" if self.target == "float32" else repr(value)

    def _refuse(self, node: ast.AST, why: str) -> ConfigError:
        line = getattr(node, "lineno", 1)
        return ConfigError(f"kernel {self.kernel}, line {line} of its function: {why}", "docs/plugins.md has the rules")


def kernel_function(kernel: Any, dim: int) -> Callable[..., Any]:
    """``g2d`` or ``g3d`` of a kernel class. Raises `ConfigError` when it lacks that dimension."""
    if dim not in dims_of(kernel):
        has = " and ".join(str(d) for d in dims_of(kernel)) or "none"
        raise ConfigError(f"kernel {kernel.__name__} has dimension {has}, not {dim}", "change --dim or --kernel")
    return getattr(kernel, f"g{dim}d")


def parameter_count(kernel: Any, dim: int) -> int:
    """Arguments of g after r^2."""
    return len(inspect.signature(kernel_function(kernel, dim)).parameters) - 1


def source(kernel: Any, dim: int, target: str) -> str:
    """The text of ``g`` and its helpers for a target: ``float32``, ``float64``, ``array`` or ``triton``.

    Raises `ConfigError` naming the kernel, the line and what is not allowed there.
    """
    writer = _Writer(getattr(kernel, "__name__", type(kernel).__name__), target)
    main = writer.function(kernel_function(kernel, dim), "g")
    return "\n\n".join([*writer.helpers.values(), main])


def load_module(template: str, kernel: Any, dim: int, dtype: str) -> types.ModuleType:
    """Import ``template`` compiled around the kernel's ``g`` in dimension ``dim`` and precision ``dtype``.

    In the template ``REAL`` is the NumPy scalar type, ``FAST`` the fast-math setting, ``PARAMS`` and ``UNPACK`` as
    said above. Lines between ``#2D``/``#3D`` and ``#END`` are kept for that dimension only.
    """
    count = parameter_count(kernel, dim)
    names = ", ".join(f"p{i}" for i in range(count))
    body = _for_dimension(template, dim).replace("PARAMS", names)
    body = body.replace("UNPACK", "; ".join(f"p{i} = p[{i}]" for i in range(count)))
    head = (
        "import numpy as np\nfrom numba import njit\n\n"
        + PRELUDES[dtype]
        + f"\nREAL = np.{dtype}\nFAST = {{'nnan', 'ninf', 'nsz', 'arcp', 'contract', 'afn', 'reassoc'}}\n\n\n"
    )
    return import_text(head + source(kernel, dim, dtype) + "\n\n" + body, f"{kernel.__name__.lower()}_{dim}d_{dtype}")


def _for_dimension(template: str, dim: int) -> str:
    kept, keep = [], True
    for line in template.splitlines():
        mark = line.strip()
        if mark in ("#2D", "#3D", "#END"):
            keep = mark in (f"#{dim}D", "#END")
            continue
        if keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


def import_text(text: str, stem: str) -> types.ModuleType:
    """Import generated source from the cache folder; the same text is the same module."""
    name = f"ksdp_generated_{stem}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    file = _cache_folder() / f"{name}.py"
    if not file.exists() or file.read_text() != text:
        handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
        with os.fdopen(handle, "w") as stream:
            stream.write(text)
        os.replace(temporary, file)  # two processes may get here at once
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _cache_folder() -> Path:
    """``KSDP_CACHE_DIR``, or the user's cache folder, or a temporary one where that cannot be written."""
    wanted = os.environ.get("KSDP_CACHE_DIR")
    base = Path(wanted) if wanted else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ksdp"
    try:
        base.mkdir(parents=True, exist_ok=True)
        if os.access(base, os.W_OK):
            return base
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="ksdp-"))
