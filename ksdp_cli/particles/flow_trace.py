"""Tracing: the formula of a flow from its own code, so that the GPU program of a step can include it.

``velocity`` runs once on an array (1, d) of `Term`, which record the operations on them. The result is the text of a
function of one particle. The flow's constants are arguments of that function, so that all cases of a sweep share it.
The GPU then launches no kernel for each operation.

A flow has no formula if it branches on a value, calls ``math.sin(t)``, uses an operation that is not defined here, or
lets particles depend on one another. Then its own code is called.
"""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import KsdpError
from ..flows.base import Flow

if TYPE_CHECKING:
    from torch import Tensor

#: Largest exponent that is expanded into products.
POWERS = 8
#: Largest difference of formula and flow in float64, relative to the largest velocity.
AGREEMENT = 1e-12
COMPARISONS = {np.less: "<", np.less_equal: "<=", np.greater: ">", np.greater_equal: ">="}


class Untraceable(Exception):
    """A flow without a formula; the message says why."""


@dataclass(frozen=True)
class Formula:
    """``text`` defines a Triton function ``velocity(x0, x1, x2, t, c)`` of position, time and a pointer to
    ``constants``."""

    text: str
    constants: tuple[float, ...]


@dataclass
class _Tape:
    lines: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    constants: list[float] = field(default_factory=list)

    def term(self, text: str, wide: bool) -> Term:
        """The term for the expression ``text``; equal expressions share one term."""
        if text not in self.names:
            self.names[text] = f"v{len(self.names)}"
            self.lines.append(f"{self.names[text]} = {text}")
        return Term(self, self.names[text], wide)

    def of(self, value: object) -> Term:
        """Return a term unchanged, and a number as a new constant."""
        if isinstance(value, Term):
            return value
        if isinstance(value, np.ndarray) and value.ndim == 0:
            return self.of(value.item())
        if not isinstance(value, numbers.Real):
            raise Untraceable(f"it combines positions with a value of type {type(value).__name__}")
        self.constants.append(float(value))
        return Term(self, f"c{len(self.constants) - 1}", False)


class Term:
    """An expression of one particle (``wide``), or of constants and time, the same for all particles.

    The latter stays in float64 until it is combined with a particle, as in NumPy and torch.
    """

    def __init__(self, tape: _Tape, name: str, wide: bool) -> None:
        self.tape, self.name, self.wide = tape, name, wide

    def _beside(self, other: object, operator: str, swap: bool = False) -> Term:
        if isinstance(other, np.ndarray) and other.ndim:
            return NotImplemented  # type: ignore[no-any-return]  # the array then applies the operator to each element
        pair = [self, self.tape.of(other)]
        wide = any(term.wide for term in pair)
        left, right = [_widened(term, wide) for term in (reversed(pair) if swap else pair)]
        return self.tape.term(f"{left} {operator} {right}", wide)

    def _of(self, function: str) -> Term:
        return self.tape.term(f"tl.{function}({self.name})", self.wide)

    def __add__(self, other: object) -> Term:
        return self._beside(other, "+")

    def __radd__(self, other: object) -> Term:
        return self._beside(other, "+", swap=True)

    def __sub__(self, other: object) -> Term:
        return self._beside(other, "-")

    def __rsub__(self, other: object) -> Term:
        return self._beside(other, "-", swap=True)

    def __mul__(self, other: object) -> Term:
        return self._beside(other, "*")

    def __rmul__(self, other: object) -> Term:
        return self._beside(other, "*", swap=True)

    def __truediv__(self, other: object) -> Term:
        return self._beside(other, "/")

    def __rtruediv__(self, other: object) -> Term:
        return self._beside(other, "/", swap=True)

    def __neg__(self) -> Term:
        return self.tape.term(f"-{self.name}", self.wide)

    def __pos__(self) -> Term:
        return self

    def __pow__(self, exponent: Term | float) -> Term:
        if exponent == 0.5:
            return self.sqrt()
        if isinstance(exponent, Term) or exponent != int(exponent) or not 1 <= abs(exponent) <= POWERS:
            raise Untraceable(f"it takes a power {exponent}")
        product = self
        for _ in range(abs(int(exponent)) - 1):
            product = product * self
        return product if exponent > 0 else 1.0 / product

    def __lt__(self, other: object) -> Term:
        return self._beside(other, "<")

    def __le__(self, other: object) -> Term:
        return self._beside(other, "<=")

    def __gt__(self, other: object) -> Term:
        return self._beside(other, ">")

    def __ge__(self, other: object) -> Term:
        return self._beside(other, ">=")

    def __abs__(self) -> Term:
        return self._of("abs")

    def sin(self) -> Term:
        return self._of("sin")

    def cos(self) -> Term:
        return self._of("cos")

    def exp(self) -> Term:
        return self._of("exp")

    def log(self) -> Term:
        return self._of("log")

    def sqrt(self) -> Term:
        return self._of("sqrt")

    def tanh(self) -> Term:
        """By the exponential, since Triton's interpreter has no tanh."""
        return self.tape.term(f"1.0 - 2.0 / (tl.exp({self.name} + {self.name}) + 1.0)", self.wide)

    def __bool__(self) -> bool:
        raise Untraceable("it branches on a value")

    def __float__(self) -> float:
        raise Untraceable("it takes a value out of its arguments")


class _Terms(np.ndarray):
    """An array of terms that records comparisons and ``where`` instead of evaluating them."""

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: object, out: tuple[object, ...] | None = None, **options: object
    ) -> object:
        if ufunc in COMPARISONS:
            options["dtype"] = object
        if out is not None:
            options["out"] = tuple(_plain(part) for part in out)
        result = getattr(ufunc, method)(*(_plain(part) for part in inputs), **options)
        return result.view(_Terms) if isinstance(result, np.ndarray) else result

    def __array_function__(
        self,
        function: Callable[..., object],
        types: Iterable[type],
        args: Iterable[object],
        kwargs: Mapping[str, object],
    ) -> object:
        parts: list[Any] = [_plain(part) for part in args]
        if function is np.where and len(parts) == 3:
            return np.frompyfunc(_where, 3, 1)(*parts).view(_Terms)
        return super().__array_function__(function, types, args, kwargs)


def _plain(part: object) -> object:
    return part.view(np.ndarray) if isinstance(part, _Terms) else part


def _where(condition: object, left: object, right: object) -> Term:
    if not isinstance(condition, Term):
        raise Untraceable("it selects by something other than its positions")
    pair = [condition.tape.of(part) for part in (left, right)]
    wide = condition.wide or any(term.wide for term in pair)
    return condition.tape.term(f"tl.where({condition.name}, {', '.join(_widened(t, wide) for t in pair)})", wide)


def _widened(term: Term, wide: bool) -> str:
    return f"{term.name}.to(x0.dtype)" if wide and not term.wide else term.name


def trace(flow: Flow, dim: int) -> Formula:
    """Trace ``flow.velocity`` and check the formula at 64 points and two times. Raises `Untraceable`."""
    tape = _Tape()
    x = np.empty((1, dim), object)
    x[0] = [Term(tape, f"x{axis}", True) for axis in range(dim)]
    t: Any = Term(tape, "t", False)
    try:
        v = flow.velocity(x.view(_Terms), t)
    except Untraceable:
        raise
    except Exception as error:  # a plugin's code on arrays of objects may fail in any way
        raise Untraceable(f"{type(error).__name__}: {error}") from None
    if not isinstance(v, np.ndarray) or v.shape != (1, dim):
        raise Untraceable("it returned no array of the shape of its positions")
    result = [_widened(tape.of(part), True) for part in v[0]]
    lines = [f"c{i} = tl.load(c + {i})" for i in range(len(tape.constants))] + tape.lines
    lines.append(f"return {', '.join((result + result[-1:])[:3])}")
    formula = Formula(
        "def velocity(x0, x1, x2, t, c):\n" + "".join(f"    {line}\n" for line in lines), tuple(tape.constants)
    )
    _require_agreement(formula, flow, dim)
    return formula


def evaluated(formula: Formula, x: Tensor, t: float) -> Tensor:
    """Evaluate the formula through torch at positions ``x`` (n, d), a tensor, in its dtype."""
    import torch

    class Language:
        """The functions of Triton that a formula uses, by torch."""

        abs, sin, cos, exp, log, sqrt, where = (
            getattr(torch, name) for name in ("abs", "sin", "cos", "exp", "log", "sqrt", "where")
        )

        @staticmethod
        def load(index: int) -> Tensor:
            return torch.tensor(formula.constants[index], dtype=torch.float64)

    space: dict[str, Any] = {"tl": Language}
    exec(formula.text, space)
    velocity: Callable[..., tuple[Any, ...]] = space["velocity"]
    axes = [x[:, axis] for axis in range(x.shape[1])]
    v = velocity(*(axes + axes[-1:])[:3], torch.tensor(t, dtype=torch.float64), 0)
    return torch.stack([part.expand(len(x)) for part in v[: x.shape[1]]], 1)


def _require_agreement(formula: Formula, flow: Flow, dim: int) -> None:
    """Raise `Untraceable` if the formula differs from the flow by more than `AGREEMENT`."""
    import torch

    x = torch.from_numpy(np.random.default_rng(0).normal(size=(64, dim)))
    for t in (0.0, 0.37):
        try:
            v = flow.velocity(x.clone(), t)
            error = float((evaluated(formula, x, t) - v).abs().max())
        except KsdpError:
            raise
        except Exception as failure:
            raise Untraceable(f"it fails on a tensor: {type(failure).__name__}: {failure}") from None
        if not error <= AGREEMENT * max(1.0, float(v.abs().max())):
            raise Untraceable(f"its traced formula is wrong by {error:.1g} at t = {t:g}")
