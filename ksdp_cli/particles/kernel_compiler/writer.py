"""Translates a kernel's function, in the grammar of `language`, into source text for a target."""

from __future__ import annotations

import ast
import math
import types
from collections.abc import Callable
from typing import Any

from .language import COMPARISONS, FUNCTIONS, OPERATORS, Function
from .product import Product, full

DECORATORS = {
    "float32": "@njit(fastmath=FAST, forceinline=True, error_model='numpy')\n",
    "float64": "@njit(fastmath=FAST, forceinline=True, error_model='numpy')\n",
    "array": "",
    "triton": "@triton.jit\n",
}
SELECT = {"float32": "select", "float64": "select", "array": "where", "triton": "tl.where"}


class Writer:
    """Translates a kernel's function and its helpers for a target.

    Local names get a trailing underscore, so that none can hide a function of the generated module.
    """

    def __init__(self, kernel: str, target: str) -> None:
        self.kernel, self.target = kernel, target
        self.numba = target in ("float32", "float64")
        self.scale = 1.0
        self.names: dict[Any, tuple[str, int]] = {}
        self.texts: list[str] = []

    def write(self, function: Callable[..., object], name: str) -> int:
        """Append the text of ``function`` as ``name``, after its helpers; return its number of arguments."""
        f = Function(self.kernel, function)
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
                line = ast.unparse(statement).splitlines()[0]
                raise f.refuse(statement, f"{line!r} is not allowed: assign to one name, and return last")
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

    def _result(self, f: Function, node: ast.expr, whole: bool) -> str:
        """The return expression; the constant factor of the ``whole`` kernel goes to ``scale``."""
        if self.target == "triton" and whole:
            product = self._product(f, node)
            self.scale, product.constant = product.constant, 1.0
            return product.estimated(f.varies)
        if not (self.numba and whole):
            return self._expression(f, node)
        self.scale, rest = self._product(f, node).prepared().split()
        return rest.text()

    def _product(self, f: Function, node: ast.expr) -> Product:
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

    def _expression(self, f: Function, node: ast.expr) -> str:
        def go(part: ast.expr) -> str:
            return self._expression(f, part)

        value = f.number(node)
        if value is not None:
            return f"REAL({value!r})" if self.numba else full(value) if self.target == "triton" else f"({value!r})"
        if isinstance(node, ast.Name):
            if node.id in f.local:
                return f"{node.id}_"
            raise f.refuse(node, f"{node.id!r} is not an argument, a name assigned above or a number of the module")
        if self.numba and isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div)):
            return self._product(f, node).prepared().text()
        if self.target == "triton" and _is_product(f, node):
            return self._product(f, node).estimated(f.varies)
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATORS:
            return f"({go(node.left)} {OPERATORS[type(node.op)]} {go(node.right)})"
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow):
            exponent = f.number(node.right)
            if exponent is None or exponent not in range(1, 9):
                raise f.refuse(node, f"{ast.unparse(node)!r}: use a whole number from 1 to 8 as power, or sqrt")
            return "(" + " * ".join([go(node.left)] * int(exponent)) + ")"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            return f"(-{go(node.operand)})" if isinstance(node.op, ast.USub) else go(node.operand)
        if isinstance(node, ast.IfExp):
            return f"{SELECT[self.target]}({self._condition(f, node.test)}, {go(node.body)}, {go(node.orelse)})"
        if isinstance(node, ast.Call) and not node.keywords:
            name, count = self._callee(f, node)
            if len(node.args) != count:
                raise f.refuse(node, f"{ast.unparse(node)!r} has {len(node.args)} arguments instead of {count}")
            shape = ["real"] if self.target == "triton" and f.math_name(node.func) is None else []
            return f"{name}({', '.join([*shape, *(go(argument) for argument in node.args)])})"
        raise f.refuse(node, f"{ast.unparse(node)!r} is not allowed")

    def _condition(self, f: Function, node: ast.expr) -> str:
        if not isinstance(node, ast.Compare) or len(node.ops) != 1 or type(node.ops[0]) not in COMPARISONS:
            raise f.refuse(node, f"{ast.unparse(node)!r}: use one comparison by <, <=, > or >= as condition")
        left, right = self._expression(f, node.left), self._expression(f, node.comparators[0])
        return f"({left} {COMPARISONS[type(node.ops[0])]} {right})"

    def _callee(self, f: Function, node: ast.Call) -> tuple[str, int]:
        """Name of the called function in the target, and its number of arguments."""
        name = f.math_name(node.func)
        if name in FUNCTIONS:
            return str(name), 1
        helper = f.scope.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if not isinstance(helper, types.FunctionType):
            names = ", ".join(FUNCTIONS)
            raise f.refuse(
                node, f"{ast.unparse(node.func)!r} is neither a function of the module nor one of math's {names}"
            )
        if helper not in self.names:
            name = f"{helper.__name__}_{len(self.names)}"
            self.names[helper] = (name, -1)  # -1 until it is written, to detect recursion
            self.names[helper] = (name, self.write(helper, name))
        if self.names[helper][1] < 0:
            raise f.refuse(node, f"{helper.__name__!r} calls itself")
        return self.names[helper]


def _is_product(f: Function, node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return f.math_name(node.func) == "log" and len(node.args) == 1
    return isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Mult, ast.Div))
