"""The cases of a sweep: every combination of the swept values, parameters that go in step counting as one.

>>> [row["A"] for row in combinations({"A": (1.0, 10.0), "seed": (0, 1)}, ())]
[1.0, 1.0, 10.0, 10.0]
>>> combinations({"mu": (1.0, 2.0), "A": (1.0, 10.0)}, ("A", "mu"))
[{'mu': 1.0, 'A': 1.0}, {'mu': 2.0, 'A': 10.0}]
>>> streams([0, 1, 0, 1])
[0, 0, 1, 1]
"""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from ..base.files import JsonDict
from ..errors import ConfigError
from .labels import label

#: The parameter whose values are whole numbers, and over which an ensemble is taken.
SEED = "seed"

Swept = Mapping[str, Sequence[float]]


def count(swept: Swept, together: Sequence[str]) -> int:
    """The number of `combinations`, without making them."""
    return math.prod(len(axis) for axis in _axes(swept, together))


def combinations(swept: Swept, together: Sequence[str]) -> list[dict[str, float]]:
    """One dict a case, the last parameter running fastest; those named ``together`` have the values of one place."""
    rows = ({n: v for part in parts for n, v in part.items()} for parts in itertools.product(*_axes(swept, together)))
    return [{name: row[name] for name in swept} for row in rows]


def streams(seeds: Sequence[int | None]) -> list[int]:
    """The stream of random numbers of each case: its place among the cases of its seed.

    So no two cases share an address (seed, stream), and a case has the bits that it has in a sweep of its seed alone.
    """
    seen: Counter[int | None] = Counter()
    places = []
    for seed in seeds:
        places.append(seen[seed])
        seen[seed] += 1
    return places


def address(cases: Sequence[Mapping[str, float]], seed: object, case: int) -> tuple[int | None, int]:
    """Seed and stream of a case; ``seed`` is that of all cases where they do not say one, None where it is no number.

    >>> address([{"seed": 3}, {"seed": 4}], None, 1), address([{"A": 1.0}, {"A": 10.0}], 7, 1)
    ((4, 0), (7, 1))
    """
    if SEED not in cases[0]:
        return seed if isinstance(seed, int) else None, case
    seeds = [int(one[SEED]) for one in cases]
    return seeds[case], streams(seeds)[case]


def seeds_of(cases: Sequence[Mapping[str, float]], seed: object) -> set[int]:
    """All seeds of a store, as for `address`."""
    found = {address(cases, seed, case)[0] for case in (range(len(cases)) if SEED in cases[0] else (0,))}
    return {one for one in found if one is not None}


def varying(cases: Sequence[Mapping[str, float]]) -> list[str]:
    """The parameters that have more than one value."""
    return [name for name in cases[0] if len({case[name] for case in cases}) > 1]


def narrowed(config: Mapping[str, Any], cases: Sequence[Mapping[str, float]]) -> dict[str, object]:
    """A stored configuration with one value for each swept parameter that has one in ``cases``.

    >>> narrowed({"mu": [1.0, 2.0], "flow_params": {"A": [1.0, 9.0]}}, [{"mu": 1.0, "A": 1.0}, {"mu": 1.0, "A": 9.0}])
    {'mu': [1.0], 'flow_params': {'A': [1.0, 9.0]}}
    """
    fixed = {name: cases[0][name] for name in cases[0].keys() - set(varying(cases))}
    made: dict[str, Any] = {}
    for name, value in config.items():
        if name in fixed:
            made[name] = fixed[name] if name == SEED else [fixed[name]]
        elif name == "zip":
            left = [one for one in value if one not in fixed]
            made |= {name: left} if len(left) > 1 else {}
        else:
            made[name] = narrowed(value, cases) if isinstance(value, dict) else value
    return made


def near(name: str, value: float, wanted: float) -> bool:
    """Whether a parameter has the ``wanted`` value: to 1e-9, a seed exactly."""
    return value == wanted if name == SEED else abs(value - wanted) <= 1e-9 * abs(wanted)


def require_in_step(names: Sequence[str], swept: Swept) -> None:
    """Raise `ConfigError` unless the parameters ``names`` have as many values as one another, and more than one."""
    if len(names) == 1:
        raise ConfigError(f"zip names {names[0]} alone", "name two or more parameters that go in step")
    for name in names:
        if name not in swept:
            raise ConfigError(f"zip names {name!r}, which is not swept", f"swept are: {', '.join(swept) or 'none'}")
    if len({len(swept[name]) for name in names}) > 1:
        told = ", ".join(f"{name} has {len(swept[name])}" for name in names)
        raise ConfigError(f"parameters in step need as many values: {told}", "give each the same number")


def require_unlike(cases: Sequence[Mapping[str, float]]) -> None:
    """Raise `ConfigError` when two cases are equal."""
    seen = set()
    for case in cases:
        if (row := tuple(case.values())) in seen:
            raise ConfigError(f"two cases have {label(case)}", "give each once")
        seen.add(row)


def _axes(swept: Swept, together: Sequence[str]) -> list[list[JsonDict]]:
    """The parameters that vary alone, and those that go in step as one, at the place of their first."""
    axes: list[list[dict[str, Any]]] = []
    joined = [name for name in swept if name in together]
    for name, values in swept.items():
        if name not in together:
            axes.append([{name: value} for value in values])
        elif name == joined[0]:
            rows = zip(*(swept[one] for one in joined), strict=True)
            axes.append([dict(zip(joined, row, strict=True)) for row in rows])
    return axes
