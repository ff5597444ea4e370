"""Products and quotients of a kernel in the form that costs least in a pair sum, however they were written.

A division is a reciprocal estimate and a Newton step, and a constant factor is an instruction for every pair. So

- all constants of a product become one, and that of the whole kernel leaves the loop;
- what is divided by more than once is inverted once: 1/q + a/(q q) has one division;
- X sqrt(X) below the line becomes three factors 1/sqrt(X): one inverse root, and r^3 of a particle and itself, whose
  distance is 1e-12, does not underflow as it does where the compiler takes the root of X^3.

Measured by `benchmarks/direct.py` on one thread in float32: 2D blob 6.8 to 7.9, 2D eq7 2.0 to 2.3, 3D plummer 3.4 to
4.1 thousand million pairs a second.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Product:
    """``constant`` times the expressions ``above`` over the expressions ``below``, as texts."""

    constant: float = 1.0
    above: list[str] = field(default_factory=list)
    below: list[str] = field(default_factory=list)

    def times(self, other: Product) -> Product:
        return Product(self.constant * other.constant, self.above + other.above, self.below + other.below)

    def over(self, other: Product) -> Product:
        """Raises `ZeroDivisionError` for a constant 0 below the line."""
        return Product(self.constant / other.constant, self.above + other.below, self.below + other.above)

    def prepared(self) -> Product:
        """The same with inverse roots and inverses above the line, where they pay."""
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
        """The constant, and the rest without it.

        Beside a lone root the constant stays: the compiler then runs the root beside the arithmetic, in a unit of its
        own, instead of estimating its inverse (3D blob: 4.1 against 3.6 thousand million pairs a second).
        """
        if any(x.startswith("sqrt(") for x in self.below) or self.constant == 0.0:
            return 1.0, self
        return self.constant, Product(1.0, self.above, self.below)

    def text(self) -> str:
        """As an expression of the generated module; the constant stands below the line if something else does."""
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
        """As an expression of a GPU program, whose divisions and inverse roots are instructions of their own.

        - sqrt(X)^n X^m below the line is rsqrt(X)^(n + 2 m), and sqrt(X)/X above and below it rsqrt(X);
        - what is divided by more than once is inverted once; all else below the line shares one ``rcp``;
        - the constant and what does not vary with r^2 come first, in a bracket, so that they leave the loop.
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
    """A constant of a GPU program in the type ``real``: a bare one becomes float32 in a branch, even beside float64."""
    return f"tl.full((), {value!r}, real)"
