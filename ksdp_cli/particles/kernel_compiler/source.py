"""From a kernel's one scalar function to the source text of every engine.

A kernel is written once, as ``g2d``/``g3d(r2, delta2, *parameters)`` in plain Python and ``math`` (the contract is in
`ksdp_cli.kernels.base`). Its syntax tree is checked and written out again for a target:

- ``float32`` and ``float64``: Numba functions; logarithm, exponential and error function are those of `fast_math`,
  because the library ones stop a loop from being vectorised, and ``a if c else b`` becomes a select without a branch;
- ``array``: NumPy or torch, conditional expressions as ``where`` (`array_function`);
- ``triton``: functions for GPU programs.

``load_module(template, kernel, dim, dtype)`` is how an engine gets its loops: the template is the text of a Python
module that calls ``g(r2, PARAMS)``. In the template

- ``PARAMS`` stands for "p0, p1, ...", p0 = delta^2; ``UNPACK`` for a line that sets them from an array ``p``;
- ``g`` is a Numba function of scalars of type ``REAL`` (``np.float32`` or ``np.float64``), inlined into its caller, and
  the kernel is ``SCALE * g``: its constant factor, a Python number, belongs outside of the loop (not for ``triton``);
- ``np``, ``njit`` with its options ``PLAIN`` and ``INNER``, ``FAST`` and ``select(c, a, b)`` are there;
- lines from ``#2D`` or ``#3D`` to the next mark or ``#END`` are kept for that dimension only.

Constants in a float32 template must be typed, ``REAL(0.5)``: a bare 0.5 turns the whole loop into float64. Functions
that take arrays carry ``@njit(**PLAIN)``, or ``@njit(**INNER)`` where compiled functions alone call them. The module is
written to a cache folder under a name that its contents decide, so that Numba's own cache serves the next process: a
Numba function that is handed over as an argument is never cached.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import inspect
import math
import numbers
import os
import re
import sys
import tempfile
import textwrap
import threading
import types
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ...base.compiled import temporary_folder
from ...errors import ConfigError
from ...kernels.base import dims_of
from .product import Product, full

FUNCTIONS = ("sqrt", "exp", "log", "erf", "fabs")
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
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
DECORATORS = {
    "float32": "@njit(fastmath=FAST, forceinline=True, error_model='numpy')\n",
    "float64": "@njit(fastmath=FAST, forceinline=True, error_model='numpy')\n",
    "array": "",
    "triton": "@triton.jit\n",
}
SELECT = {"float32": "select", "float64": "select", "array": "where", "triton": "tl.where"}
RULES = "the body of a kernel is described in docs/plugins.md"
_import_lock = threading.Lock()


class _Function:
    """One function of a kernel while it is written out: its syntax tree, its place in a file, and what it sees."""

    def __init__(self, kernel: str, function: Callable[..., Any]) -> None:
        self.kernel, self.file, self.first = kernel, "?", 1
        try:
            lines, self.first = inspect.getsourcelines(function)
            self.file = Path(inspect.getsourcefile(function) or "?").name
            tree = ast.parse(textwrap.dedent("".join(lines))).body[0]
        except (OSError, TypeError, SyntaxError) as error:
            raise ConfigError(
                f"the source of kernel {kernel} cannot be read: {error}",
                "define it with def in a file or a notebook cell, not in exec or at the interactive prompt",
            ) from None
        if not isinstance(tree, ast.FunctionDef):
            raise self.refuse(tree, "it must be written with def")
        plain = tree.args
        if plain.vararg or plain.kwarg or plain.kwonlyargs or plain.defaults or plain.posonlyargs:
            raise self.refuse(tree, "its arguments must be plain names without default values")
        self.tree = tree
        self.arguments = [argument.arg for argument in plain.args]
        self.local = set(self.arguments)
        self.varying = {f"{argument}_" for argument in self.arguments}
        seen = inspect.getclosurevars(function)
        self.scope = {**seen.builtins, **seen.globals, **seen.nonlocals}

    def refuse(self, node: ast.AST, why: str) -> ConfigError:
        line = self.first + getattr(node, "lineno", 1) - 1
        return ConfigError(f"kernel {self.kernel}, {self.file} line {line}: {why}", RULES)

    def math_name(self, node: ast.expr) -> str | None:
        """``sqrt`` for ``math.sqrt`` and for ``sqrt`` imported from math, under whatever name."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return node.attr if self.scope.get(node.value.id) is math and node.value.id not in self.local else None
        if isinstance(node, ast.Name) and node.id not in self.local:
            return next((name for name in FUNCTIONS if self.scope.get(node.id) is getattr(math, name)), None)
        return None

    def varies(self, text: str) -> bool:
        """Whether an expression, written out, changes within a loop over pairs."""
        return not self.varying.isdisjoint(re.findall(r"\w+", text))

    def number(self, node: ast.expr) -> float | None:
        """The value of an expression of numbers alone, so that it is computed once and in full precision."""
        value: Any = None
        if isinstance(node, ast.Constant):
            value = node.value
        elif isinstance(node, ast.Name) and node.id not in self.local:
            value = self.scope.get(node.id)
        elif isinstance(node, ast.Attribute) and self.math_name(node) == "pi":
            value = math.pi
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            part = self.number(node.operand)
            value = None if part is None else -part
        elif isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            left, right = self.number(node.left), self.number(node.right)
            if left is not None and right is not None:
                value = _arithmetic(type(node.op), left, right)
        elif isinstance(node, ast.Call) and len(node.args) == 1 and self.math_name(node.func) in FUNCTIONS:
            part = self.number(node.args[0])
            if part is not None:
                try:
                    value = getattr(math, str(self.math_name(node.func)))(part)
                except (ValueError, OverflowError) as error:
                    raise self.refuse(node, f"{ast.unparse(node)!r}: {error}") from None
        return None if isinstance(value, bool) or not isinstance(value, numbers.Real) else float(value)


def _arithmetic(operator: type, left: float, right: float) -> float | None:
    if operator is ast.Div:
        return left / right if right else None
    return left + right if operator is ast.Add else left - right if operator is ast.Sub else left * right


class _Writer:
    """Writes a kernel's function, and the helpers that it calls, for a target.

    Local names get an underscore at the end, so that none can hide a function of the generated module.
    """

    def __init__(self, kernel: str, target: str) -> None:
        self.kernel, self.target = kernel, target
        self.numba = target in ("float32", "float64")
        self.scale = 1.0
        self.names: dict[Any, tuple[str, int]] = {}
        self.texts: list[str] = []

    def write(self, function: Callable[..., Any], name: str) -> int:
        """Append the text of ``function`` as ``name``, after its helpers; the number of its arguments."""
        f = _Function(self.kernel, function)
        whole, lines = name == "g", []
        if self.target == "triton" and whole:
            f.varying = {f"{argument}_" for argument in f.arguments[:1]}
            lines += [f"    real = {argument}.dtype" for argument in f.varying]
        for statement in f.tree.body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue  # the docstring
            if isinstance(statement, ast.Return) and statement.value and statement is f.tree.body[-1]:
                lines.append(f"    return {self._result(f, statement.value, whole)}")
                break
            target = statement.targets[0] if isinstance(statement, ast.Assign) else getattr(statement, "target", None)
            value = getattr(statement, "value", None)
            single = isinstance(statement, ast.AnnAssign) or len(getattr(statement, "targets", ())) == 1
            if not single or not isinstance(target, ast.Name) or value is None:
                what = ast.unparse(statement).splitlines()[0]
                raise f.refuse(statement, f"{what!r} is not allowed: assign to one name, and return last")
            text = self._expression(f, value)
            lines.append(f"    {target.id}_ = {text}")
            f.local.add(target.id)
            f.varying = f.varying | {f"{target.id}_"} if f.varies(text) else f.varying - {f"{target.id}_"}
        else:
            raise f.refuse(f.tree, "it must end in 'return expression'")
        arguments = ", ".join(f"{argument}_" for argument in f.arguments)
        if self.target == "triton" and not whole:
            arguments = ", ".join(["real: tl.constexpr", *(f"{argument}_" for argument in f.arguments)])
        self.texts.append(f"{DECORATORS[self.target]}def {name}({arguments}):\n" + "\n".join(lines) + "\n")
        return len(f.arguments)

    def _result(self, f: _Function, node: ast.expr, whole: bool) -> str:
        """What a function returns; ``scale`` takes the constant factor of the ``whole`` kernel."""
        if self.target == "triton" and whole:
            product = self._product(f, node)
            self.scale, product.constant = product.constant, 1.0
            return product.estimated(f.varies)
        if not (self.numba and whole):
            return self._expression(f, node)
        self.scale, rest = self._product(f, node).prepared().split()
        return rest.text()

    def _product(self, f: _Function, node: ast.expr) -> Product:
        value = f.number(node)
        if value is not None:
            return Product(value)
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            return self._product(f, node.left).times(self._product(f, node.right))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            below = self._product(f, node.right)
            if below.constant == 0.0:
                raise f.refuse(node, f"{ast.unparse(node)!r} divides by zero")
            return self._product(f, node.left).over(below)
        if self.target == "triton":
            if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
                return self._product(f, node.operand).times(Product(-1.0))
            if isinstance(node, ast.Call) and f.math_name(node.func) == "log" and len(node.args) == 1:
                return Product(math.log(2.0), [f"log2({self._expression(f, node.args[0])})"])
        return Product(above=[self._expression(f, node)])

    def _expression(self, f: _Function, node: ast.expr) -> str:
        def go(part: ast.expr) -> str:
            return self._expression(f, part)

        value = f.number(node)
        if value is not None:
            return f"REAL({value!r})" if self.numba else full(value) if self.target == "triton" else f"({value!r})"
        if isinstance(node, ast.Name):
            if node.id in f.local:
                return f"{node.id}_"
            raise f.refuse(node, f"{node.id!r} is no argument, no name assigned above and no number of the module")
        if self.numba and isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
            return self._product(f, node).prepared().text()
        if self.target == "triton" and _is_product(f, node):
            return self._product(f, node).estimated(f.varies)
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return f"({go(node.left)} {OPERATORS[type(node.op)]} {go(node.right)})"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            exponent = f.number(node.right)
            if exponent is None or exponent not in range(1, 9):
                raise f.refuse(node, f"{ast.unparse(node)!r}: a power is a whole number from 1 to 8; else use sqrt")
            return "(" + " * ".join([go(node.left)] * int(exponent)) + ")"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            return f"(-{go(node.operand)})" if isinstance(node.op, ast.USub) else go(node.operand)
        if isinstance(node, ast.IfExp):
            return f"{SELECT[self.target]}({self._condition(f, node.test)}, {go(node.body)}, {go(node.orelse)})"
        if isinstance(node, ast.Call) and not node.keywords:
            name, wanted = self._callee(f, node)
            if len(node.args) != wanted:
                raise f.refuse(node, f"{ast.unparse(node)!r} has {len(node.args)} arguments instead of {wanted}")
            shape = ["real"] if self.target == "triton" and f.math_name(node.func) is None else []
            return f"{name}({', '.join([*shape, *(go(argument) for argument in node.args)])})"
        raise f.refuse(node, f"{ast.unparse(node)!r} is not allowed")

    def _condition(self, f: _Function, node: ast.expr) -> str:
        if not isinstance(node, ast.Compare) or len(node.ops) != 1 or type(node.ops[0]) not in COMPARISONS:
            raise f.refuse(node, f"{ast.unparse(node)!r}: a condition is one comparison by <, <=, > or >=")
        left, right = self._expression(f, node.left), self._expression(f, node.comparators[0])
        return f"({left} {COMPARISONS[type(node.ops[0])]} {right})"

    def _callee(self, f: _Function, node: ast.Call) -> tuple[str, int]:
        """The name under which a function is called in the target, and its number of arguments."""
        name = f.math_name(node.func)
        if name in FUNCTIONS:
            return str(name), 1
        helper = f.scope.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if not isinstance(helper, types.FunctionType):
            allowed = ", ".join(FUNCTIONS)
            raise f.refuse(
                node, f"{ast.unparse(node.func)!r} is neither a function of the module nor one of math's {allowed}"
            )
        if helper not in self.names:
            name = f"{helper.__name__}_{len(self.names)}"
            self.names[helper] = (name, -1)  # stands there first, to find out a recursion
            self.names[helper] = (name, self.write(helper, name))
        if self.names[helper][1] < 0:
            raise f.refuse(node, f"{helper.__name__!r} calls itself")
        return self.names[helper]


def _is_product(f: _Function, node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return f.math_name(node.func) == "log" and len(node.args) == 1
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div))


def kernel_function(kernel: Any, dim: int) -> Callable[..., Any]:
    """``g2d`` or ``g3d`` of a kernel class. Raises `ConfigError` when it lacks that dimension."""
    if dim not in dims_of(kernel):
        has = " and ".join(str(d) for d in dims_of(kernel)) or "none"
        raise ConfigError(f"kernel {_name(kernel)} has dimension {has}, not {dim}", "change --dim or --kernel")
    return getattr(kernel, f"g{dim}d")


def parameter_count(kernel: Any, dim: int) -> int:
    """Arguments of g after r^2."""
    return len(inspect.signature(kernel_function(kernel, dim)).parameters) - 1


def source(kernel: Any, dim: int, target: str) -> str:
    """The text of ``g`` and its helpers for a target: ``float32``, ``float64``, ``array`` or ``triton``.

    Raises `ConfigError` naming the kernel, the line and what is not allowed there.
    """
    writer = _Writer(_name(kernel), target)
    if writer.write(kernel_function(kernel, dim), "g") < 2:
        raise ConfigError(f"kernel {_name(kernel)}: g{dim}d takes r2, delta2 and its parameters", RULES)
    scale = {"array": [], "triton": [f"SCALE = tl.constexpr({writer.scale!r})\n"]}.get(
        target, [f"SCALE = {writer.scale!r}\n"]
    )
    return "\n\n".join(scale + writer.texts)


def array_function(kernel: Any, dim: int, xp: Any = None) -> Callable[..., Any]:
    """``g(r2, delta2, *parameters)`` of arrays: NumPy's, or ``xp=torch`` for tensors. Element by element, unfused."""
    if xp is None:
        import numpy
        from scipy.special import erf

        space: dict[str, Any] = {name: getattr(numpy, name) for name in ("sqrt", "exp", "log", "fabs", "where")}
        space["erf"] = erf
    else:

        def lifted(name: str) -> Callable[..., Any]:
            # a parameter becomes a float64 tensor without axes, which does not widen a float32 one
            return lambda value: getattr(xp, name)(
                value if isinstance(value, xp.Tensor) else xp.as_tensor(value, dtype=xp.float64)
            )

        space = {name: lifted(name) for name in ("sqrt", "exp", "log", "erf")}
        space |= {"fabs": lifted("abs"), "where": xp.where}
    exec(source(kernel, dim, "array"), space)
    return space["g"]


def load_module(template: str, kernel: Any, dim: int, dtype: str) -> types.ModuleType:
    """Import ``template`` compiled around the kernel's ``g`` in dimension ``dim``.

    ``dtype`` is the target: ``float32``, ``float64`` or ``triton``. What the template may use is said above.
    """
    text = source(kernel, dim, dtype)
    names = [f"p{i}" for i in range(parameter_count(kernel, dim))]
    body = for_dimension(template, dim).replace("PARAMS", ", ".join(names))
    take = "tl.load(p + {})" if dtype == "triton" else "p[{}]"
    body = body.replace("UNPACK", "; ".join(f"{name} = {take.format(i)}" for i, name in enumerate(names)))
    return import_text("\n\n".join([PRELUDES[dtype], text, body]), f"{_name(kernel).lower()}_{dim}d_{dtype}")


def _name(kernel: Any) -> str:
    return str(getattr(kernel, "__name__", type(kernel).__name__))


def for_dimension(template: str, dim: int) -> str:
    kept, keep = [], True
    for line in template.splitlines():
        mark = line.strip()
        if mark in ("#2D", "#3D", "#END"):
            keep = mark in (f"#{dim}D", "#END")
        elif keep:
            kept.append(line)
    return "\n".join(kept) + "\n"


@functools.cache
def _stamp() -> str:
    """What else decides the compiled code: Numba's cache sees a change of the module's text, and of nothing else."""
    from ...plugins import own_version

    library = hashlib.sha256(Path(__file__).with_name("fast_math.py").read_bytes()).hexdigest()[:16]
    return f"# ksdp {own_version()}, numba {version('numba')}, fast_math {library}\n"


def import_text(text: str, stem: str) -> types.ModuleType:
    """Import generated source from the cache folder; the same text is the same module."""
    text = _stamp() + text
    name = f"ksdp_generated_{stem}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    with _import_lock:
        if name in sys.modules:
            return sys.modules[name]
        file = cache_folder() / f"{name}.py"
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            handle, temporary = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.replace(temporary, file)  # two processes may get here at once
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules[name] = module
        return module


def cache_folder() -> Path:
    """``KSDP_CACHE_DIR``, else ``ksdp`` in the user's cache folder, else (not writable) a temporary one."""
    wanted = os.environ.get("KSDP_CACHE_DIR")
    try:
        base = Path(wanted) if wanted else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ksdp"
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=base):
            return base
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return temporary_folder()
