"""The language of a kernel, and the reader of one function.

Grammar of a body; numbers of the module and ``math.pi`` are constants::

    body       = [docstring] {NAME "=" expression} "return" expression
    expression = NUMBER | NAME | expression ("+" | "-" | "*" | "/") expression | ("-" | "+") expression
               | expression "**" N (1 <= N <= 8) | expression "if" condition "else" expression
               | ("sqrt" | "exp" | "log" | "erf" | "fabs") "(" expression ")" | HELPER "(" expression, ... ")"
    condition  = expression ("<" | "<=" | ">" | ">=") expression

A helper is a function of the same form, without recursion.
"""

from __future__ import annotations

import ast
import inspect
import math
import numbers
import re
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...errors import ConfigError

FUNCTIONS = ("sqrt", "exp", "log", "erf", "fabs")
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
COMPARISONS = {ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}
RULES = "the body of a kernel is described in docs/plugins.md"


class Function:
    """One function of a kernel: its syntax tree, its position in a file, and the names in its scope.

    Raises `ConfigError` if the source cannot be read or is not a plain ``def``.
    """

    def __init__(self, kernel: str, function: Callable[..., object]) -> None:
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
        names = inspect.getclosurevars(function)
        self.scope = {**names.builtins, **names.globals, **names.nonlocals}

    def refuse(self, node: ast.AST, why: str) -> ConfigError:
        """The error for ``node``, with kernel, file and line."""
        line = self.first + getattr(node, "lineno", 1) - 1
        return ConfigError(f"kernel {self.kernel}, {self.file} line {line}: {why}", RULES)

    def math_name(self, node: ast.expr) -> str | None:
        """``sqrt`` for ``math.sqrt`` and for ``sqrt`` imported from math under any name; None for another
        expression."""
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            return node.attr if self.scope.get(node.value.id) is math and node.value.id not in self.local else None
        if isinstance(node, ast.Name) and node.id not in self.local:
            return next((name for name in FUNCTIONS if self.scope.get(node.id) is getattr(math, name)), None)
        return None

    def varies(self, text: str) -> bool:
        """Whether the generated expression ``text`` changes within a loop over pairs."""
        return not self.varying.isdisjoint(re.findall(r"\w+", text))

    def number(self, node: ast.expr) -> float | None:
        """The value of a constant expression, computed once in full precision; None for another expression."""
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
