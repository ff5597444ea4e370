"""The cases of a sweep: all combinations of the swept values; parameters in step (``zip``) count as one.

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

from ..errors import ConfigError
from .labels import label

#: The parameter with whole-number values, over which ensembles average.
SEED = "seed"

Sweep = Mapping[str, Sequence[float]]


def count(sweep: Sweep, together: Sequence[str]) -> int:
    """Return the number of `combinations` without making them."""
    return math.prod(len(axis) for axis in _axes(sweep, together))


def combinations(sweep: Sweep, together: Sequence[str]) -> list[dict[str, float]]:
    """Return one dict for each case; the last parameter varies fastest, and those in ``together`` vary in step."""
    rows = ({n: v for part in parts for n, v in part.items()} for parts in itertools.product(*_axes(sweep, together)))
    return [{name: row[name] for name in sweep} for row in rows]


def streams(seeds: Sequence[int | None]) -> list[int]:
    """Return the random stream of each case: its index among the cases with the same seed.

    So no two cases share an address (seed, stream), and a case has the same bits as in a sweep of its seed alone.
    """
    counts: Counter[int | None] = Counter()
    places = []
    for seed in seeds:
        places.append(counts[seed])
        counts[seed] += 1
    return places


def address(cases: Sequence[Mapping[str, float]], seed: object, case: int) -> tuple[int | None, int]:
    """Return seed and stream of a case. ``seed`` applies to all cases if they have none; not an integer gives None.

    >>> address([{"seed": 3}, {"seed": 4}], None, 1), address([{"A": 1.0}, {"A": 10.0}], 7, 1)
    ((4, 0), (7, 1))
    """
    if SEED not in cases[0]:
        return seed if isinstance(seed, int) else None, case
    seeds = [int(one[SEED]) for one in cases]
    return seeds[case], streams(seeds)[case]


def seeds_of(cases: Sequence[Mapping[str, float]], seed: object) -> set[int]:
    """Return all seeds of a store; arguments as in `address`."""
    seeds = {address(cases, seed, case)[0] for case in (range(len(cases)) if SEED in cases[0] else (0,))}
    return {one for one in seeds if one is not None}


def varying(cases: Sequence[Mapping[str, float]]) -> list[str]:
    """Return the names of parameters with more than one value."""
    return [name for name in cases[0] if len({case[name] for case in cases}) > 1]


def narrow(config: Mapping[str, object], cases: Sequence[Mapping[str, float]]) -> dict[str, object]:
    """Return a configuration in which each swept parameter that has one value in ``cases`` has that value only.

    >>> narrow({"mu": [1.0, 2.0], "flow_params": {"A": [1.0, 9.0]}}, [{"mu": 1.0, "A": 1.0}, {"mu": 1.0, "A": 9.0}])
    {'mu': [1.0], 'flow_params': {'A': [1.0, 9.0]}}
    """
    fixed = {name: cases[0][name] for name in cases[0].keys() - set(varying(cases))}
    result: dict[str, Any] = {}
    for name, value in config.items():
        if name in fixed:
            result[name] = fixed[name] if name == SEED else [fixed[name]]
        elif name == "zip" and isinstance(value, (list, tuple)):
            steps = [one for one in value if one not in fixed]
            result |= {name: steps} if len(steps) > 1 else {}
        else:
            result[name] = narrow(value, cases) if isinstance(value, dict) else value
    return result


def near(name: str, value: float, target: float) -> bool:
    """Whether ``value`` equals ``target``: to a relative 1e-9, a seed exactly."""
    return value == target if name == SEED else abs(value - target) <= 1e-9 * abs(target)


def require_in_step(names: Sequence[str], sweep: Sweep) -> None:
    """Raise `ConfigError` unless ``names`` are two or more swept parameters with equal numbers of values."""
    if len(names) == 1:
        raise ConfigError(f"zip has one parameter, {names[0]}", "name two or more parameters that go in step")
    for name in names:
        if name not in sweep:
            raise ConfigError(f"zip names {name!r}, which is not swept", f"swept are: {', '.join(sweep) or 'none'}")
    if len({len(sweep[name]) for name in names}) > 1:
        counts = ", ".join(f"{name} has {len(sweep[name])}" for name in names)
        raise ConfigError(f"parameters in step need equal numbers of values: {counts}", "give each the same number")


def require_unlike(cases: Sequence[Mapping[str, float]]) -> None:
    """Raise `ConfigError` when two cases are equal."""
    before = set()
    for case in cases:
        if (row := tuple(case.values())) in before:
            raise ConfigError(f"two cases have {label(case)}", "give each once")
        before.add(row)


def _axes(sweep: Sweep, together: Sequence[str]) -> list[list[dict[str, float]]]:
    """Return one axis for each free parameter, and one for all in step, at the position of their first."""
    axes: list[list[dict[str, Any]]] = []
    in_step = [name for name in sweep if name in together]
    for name, values in sweep.items():
        if name not in together:
            axes.append([{name: value} for value in values])
        elif name == in_step[0]:
            rows = zip(*(sweep[one] for one in in_step), strict=True)
            axes.append([dict(zip(in_step, row, strict=True)) for row in rows])
    return axes
