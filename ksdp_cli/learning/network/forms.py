"""Forms of the network: how x, eta and the layers N give f. All other code, the report's page too, reads them here.

``paper`` is equation (13), f = N(x, eta). ``residual`` is f = x + N(x, eta). ``separable`` is f = x + sum_k c_k(eta)
N_k(x): the N_k share all hidden layers, and eta enters only through a few fixed functions c_k, so that f extrapolates
like those functions outside the trained range. ``product`` is the same for two parameters, with every product of a
function of the one and a function of the other.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from ...errors import ConfigError

#: A function of one parameter: its name and the index of the parameter. "mapped" is `EtaMap.normalise`; "scaled" is u,
#: the parameter over its largest trained value, both counted from `EtaMap.origin`; "curved" is u^2, which goes on with
#: slope `EtaMap.edge_slope` above u = 1.
Factor = tuple[str, int]
#: A product of factors; the empty product is 1.
Term = tuple[Factor, ...]


@dataclass(frozen=True)
class Form:
    """One form. ``terms`` returns the terms of eta that the network reads with x, from the parameters' log flags.

    ``residual`` adds x to the output. With ``weighed`` the terms are weights of blocks of outputs (heads), else inputs
    of the first layer. ``most`` is the largest number of parameters, None for any.
    """

    terms: Callable[[tuple[bool, ...]], tuple[Term, ...]]
    residual: bool
    weighed: bool = False
    most: int | None = None

    def takes(self, count: int) -> bool:
        """Whether the form supports ``count`` parameters."""
        return self.most is None or count <= self.most

    def count(self, parameters: int) -> int:
        """Number of terms for ``parameters`` parameters."""
        return len(self.terms((False,) * parameters))


def _mapped(log: tuple[bool, ...]) -> tuple[Term, ...]:
    """The terms eta_i, each mapped to [-1, 1]."""
    return tuple((("mapped", i),) for i in range(len(log)))


def _own(i: int, log: bool) -> tuple[Term, ...]:
    """The terms of parameter i alone: 1, u and log or u^2, by its scale."""
    return (), (("scaled", i),), (("mapped" if log else "curved", i),)


def _separable(log: tuple[bool, ...]) -> tuple[Term, ...]:
    """The terms of `_own` for one parameter; 1, u, v and u v for two."""
    u, v = ("scaled", 0), ("scaled", 1)
    return ((), (u,), (v,), (u, v)) if len(log) == 2 else _own(0, log[0])


def _product(log: tuple[bool, ...]) -> tuple[Term, ...]:
    """Every product of terms of `_own`, one of each parameter: 9 for two."""
    each = (_own(i, one) for i, one in enumerate(log))
    return tuple(tuple(itertools.chain(*terms)) for terms in itertools.product(*each))


#: The form of equation (13), also of files without a form; and the form x + N.
PLAIN, RESIDUAL = "paper", "residual"
FORMS = {
    PLAIN: Form(_mapped, residual=False),
    RESIDUAL: Form(_mapped, residual=True),
    "separable": Form(_separable, residual=True, weighed=True, most=2),
    "product": Form(_product, residual=True, weighed=True, most=2),
}
#: The form of ``auto`` by the number of parameters; of more than these it is `RESIDUAL`.
PREFERRED = {1: "separable", 2: "product"}
AUTO = "auto"


def form_name(name: str, parameters: int) -> str:
    """Return ``name``, or for ``auto`` the preferred form for this number of ``parameters``.

    Raises `ConfigError` for an unknown form, and for one that does not support this number.
    """
    if name == AUTO:
        return PREFERRED.get(parameters, RESIDUAL)
    if name not in FORMS:
        raise ConfigError(f"there is no network {name!r}", f"there are: {AUTO}, {', '.join(FORMS)}")
    if not FORMS[name].takes(parameters):
        most = FORMS[name].most
        raise ConfigError(
            f"the {name} form supports at most {most} parameters, not {parameters}", f"use --network {RESIDUAL}"
        )
    return name
