"""Rewrites products and quotients of a kernel into the form that costs least in a pair sum.

A division costs a reciprocal estimate and a Newton step, and a constant factor an instruction for every pair. Therefore

- all constants of a product are combined, and the constant of the whole kernel leaves the loop;
- a repeated divisor is inverted once: 1/q + a/(q q) has one division;
- X sqrt(X) in a denominator becomes three factors 1/sqrt(X), with one inverse root. The compiler's root of X^3 would
  underflow for the pair of a particle with itself, whose distance is set to 1e-12.

Measured by `benchmarks/direct.py` on one thread in float32, in 10^9 pairs a second: 2D blob from 6.8 to 7.9, 2D eq7
from 2.0 to 2.3, 3D plummer from 3.4 to 4.1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Product:
    """``constant`` times the expressions ``above`` over the expressions ``below``; expressions are source texts."""

    constant: float = 1.0
    above: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)

    def times(self, other: Product) -> Product:
        return Product(self.constant * other.constant, self.above + other.above, self.below + other.below)

    def over(self, other: Product) -> Product:
        """The quotient. Raises `ZeroDivisionError` if the constant of ``other`` is 0."""
        return Product(self.constant / other.constant, self.above + other.below, self.below + other.above)

    def prepared(self) -> Product:
        """The same product, with inverse roots and repeated inverses as factors."""
        below = Counter(self.below)
        above = list(self.above)
        for x in list(below):
            whole = min(below[x], below[f"sqrt({x})"])
            below[x] -= whole
            below[f"sqrt({x})"] -= whole
            above += [f"(REAL(1.0) / sqrt({x}))"] * (3 * whole)
            if below[x] > 1:
                above += [f"(REAL(1.0) / {x})"] * below[x]
                below[x] = 0
        return Product(self.constant, above, list(below.elements()))

    def split(self) -> tuple[float, Product]:
        """Return the constant, and the product without it.

        With a single root in the denominator the constant stays. The compiler then computes the root in its own unit,
        in parallel with the arithmetic, instead of estimating its inverse (3D blob: 4.1 against 3.6 10^9 pairs a
        second).
        """
        if any(x.startswith("sqrt(") for x in self.below) or self.constant == 0.0:
            return 1.0, self
        return self.constant, Product(1.0, self.above, self.below)

    def text(self) -> str:
        """The expression for Numba; the constant is in the denominator if there is one."""
        if self.constant == 0.0:
            return "REAL(0.0)"
        below, above = list(self.below), list(self.above)
        if self.constant != 1.0 and below:
            below.insert(0, f"REAL({1.0 / self.constant!r})")
        elif self.constant != 1.0:
            above.insert(0, f"REAL({self.constant!r})")
        top = " * ".join(above) or "REAL(1.0)"
        return f"({top} / ({' * '.join(below)}))" if below else f"({top})"

    def estimated(self, varies: Callable[[str], bool]) -> str:
        """The expression for a GPU program, which has instructions for reciprocals and inverse roots.

        - 1 / (sqrt(X)^n X^m) becomes rsqrt(X)^(n + 2 m), and sqrt(X) / X becomes rsqrt(X);
        - a repeated divisor is inverted once; the other divisors share one ``rcp``;
        - the constant and all factors that do not vary with r^2 come first, in a bracket, so that they leave the loop.
        """
        above, below = Counter(self.above), Counter(self.below)
        for x in list(below):
            root = f"sqrt({x})"
            if below[x] and above[root]:
                below[x] -= 1
                above[root] -= 1
                above[f"rsqrt({x})"] += 1
            if below[root]:
                above[f"rsqrt({x})"] += 2 * below.pop(x) + below.pop(root)
        for x in [x for x in below if x.startswith("sqrt(")]:
            above["r" + x] += below.pop(x)
        for x in [x for x in below if below[x] > 1]:
            above[f"rcp({x})"] += below.pop(x)
        for several in ([x for x in +below if not varies(x)], [x for x in +below if varies(x)]):
            if several:
                above[f"rcp({' * '.join(several)})"] += 1
        factors = list((+above).elements())
        first = [x for x in factors if not varies(x)]
        if self.constant != 1.0 or not factors:
            first.insert(0, full(self.constant))
        last = [x for x in factors if varies(x)]
        start = [f"({' * '.join(first)})"] if first else []
        return f"({' * '.join(start + last)})"


def full(value: float) -> str:
    """A constant of a GPU program in the type ``real``; Triton makes a plain one float32 in a branch, even with
    float64."""
    return f"tl.full((), {value!r}, real)"
