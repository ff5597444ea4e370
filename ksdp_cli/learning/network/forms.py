"""Forms of the network: how x, eta and the layers make f. All else reads these facts, the report's page too.

With N for the layers: ``paper``, equation (13) as it stands, f = N(x, eta). ``residual``: f = x + N(x, eta).
``separable``: f = x + sum_k c_k(eta) N_k(x), where the N_k share all hidden layers and eta enters through a few fixed
functions alone, so that beyond the trained range f goes on as those functions do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...errors import ConfigError

#: A function of one parameter, by name and place of the parameter: "mapped" to [-1, 1] over the training range as
#: `EtaMap.normalise` has it, "scaled" by its largest trained value to u, or "curved", u^2 with `EtaMap.beyond` above 1.
Factor = tuple[str, int]
#: A product of factors; of none, it is 1.
Term = tuple[Factor, ...]


@dataclass(frozen=True)
class Form:
    """``terms`` of the parameters, given whether each has a logarithmic scale: what the network reads beside x.

    ``residual``: x is added to the output. ``weighed``: the terms weigh blocks of outputs (heads); otherwise they are
    inputs of the first layer. ``most``: parameters that it takes at most; None: any number. ``auto`` is the first of
    `PREFERRED` that takes the parameters at hand.
    """

    terms: Callable[[tuple[bool, ...]], tuple[Term, ...]]
    residual: bool
    weighed: bool = False
    most: int | None = None

    def takes(self, count: int) -> bool:
        """Whether it is defined for ``count`` parameters."""
        return self.most is None or count <= self.most

    def count(self, parameters: int) -> int:
        """The number of its terms."""
        return len(self.terms((False,) * parameters))


def _mapped(log: tuple[bool, ...]) -> tuple[Term, ...]:
    """eta itself, each component mapped to [-1, 1]."""
    return tuple((("mapped", i),) for i in range(len(log)))


def _separable(log: tuple[bool, ...]) -> tuple[Term, ...]:
    """1, u and, for one parameter, its logarithm or u^2 by its scale; for two, 1, u, v and u v."""
    u: Factor = ("scaled", 0)
    if len(log) == 2:
        v: Factor = ("scaled", 1)
        return (), (u,), (v,), (u, v)
    return (), (u,), (("mapped" if log[0] else "curved", 0),)


#: The form of equation (13), of files that name none, and what x + N is called where no parameter is left.
PLAIN, RESIDUAL = "paper", "residual"
FORMS = {
    PLAIN: Form(_mapped, residual=False),
    RESIDUAL: Form(_mapped, residual=True),
    "separable": Form(_separable, residual=True, weighed=True, most=2),
}
PREFERRED = ("separable", RESIDUAL)
AUTO = "auto"


def form_name(name: str, parameters: int) -> str:
    """``name``, or for ``auto`` the preferred form of so many parameters.

    Raises `ConfigError` for an unknown form, and for one that does not take them.
    """
    if name == AUTO:
        return next(one for one in PREFERRED if FORMS[one].takes(parameters))
    if name not in FORMS:
        raise ConfigError(f"there is no network {name!r}", f"there are: {AUTO}, {', '.join(FORMS)}")
    if not FORMS[name].takes(parameters):
        most = FORMS[name].most
        raise ConfigError(
            f"the {name} form takes {most} parameters at most, not {parameters}", f"use --network {RESIDUAL}"
        )
    return name
