"""The result of a comparison, as tables and as a document."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..base import html
from ..base.labels import label
from ..errors import ConfigError
from ..metrics import Approximation, Comparison, Moments, moment_rows, moment_values
from ..metrics.comparison import HALVES
from ..metrics.panel import COLUMNS
from ..store.selection import start_of
from .references import ComparedCloud

Table = tuple[str, Sequence[str], Sequence[Sequence[object]]]


@dataclass(frozen=True)
class ProfileRows:
    """The rows of a `Profile` between two clouds, with its title and columns."""

    title: str
    columns: Sequence[str]
    rows: list[dict[str, float | None]]

    def table(self) -> Table:
        return self.title, self.columns, [list(row.values()) for row in self.rows]


@dataclass(frozen=True)
class Compared:
    """The clouds, the parameters and the distances; metrics that were not requested are empty.

    ``law`` is E|x|^2 [length^2] by equation (6), or None. ``notes`` are sentences on sub-sampling, the source of the
    floor, and parameters in which the clouds differ. ``may_decide``: what an undecided comparison can be given.
    """

    cloud: str
    reference: str
    second: str | None
    parameters: dict[str, float]
    exact: Comparison | None
    others: list[Approximation]
    profiles: dict[str, ProfileRows]
    cloud_moments: Moments
    reference_moments: Moments
    law: float | None
    notes: list[str]
    may_decide: list[str]

    @property
    def comparison(self) -> Comparison:
        """The exact distance. Raises `ConfigError` when ``metrics`` left it out."""
        if self.exact is None:
            raise ConfigError("metrics does not include the exact distance", "add w2 to metrics")
        return self.exact

    @property
    def at(self) -> str:
        """The parameters as text."""
        return label(self.parameters)

    def as_dict(self) -> dict[str, object]:
        own: dict[str, Any] = {}
        own |= {"cloud": self.cloud, "reference": self.reference, "second_reference": self.second}
        own |= {"parameters": self.parameters, "notes": self.notes}
        own |= self.exact.as_dict() if self.exact else moment_values(self.cloud_moments, self.reference_moments)
        own |= {other.metric: other.as_dict() for other in self.others} | {"second_moment_law": self.law}
        return own | {name: profile.rows for name, profile in self.profiles.items()}

    def __repr__(self) -> str:
        exact = self.exact
        said = f"W2 squared {exact.w2_squared:.4g}, {exact.verdict}" if exact else f"{len(self.others)} other distances"
        return f"<Compared {self.cloud} with {self.reference}{f' at {self.at}' if self.at else ''}: {said}>"

    def _repr_html_(self) -> str:
        return "".join(html.table(*table) for table in self.tables())

    def tables(self) -> list[Table]:
        """Return distances, then moments, then profiles, as (title, columns, rows)."""
        title = f"{self.cloud} against {self.reference}" + (f" at {self.at}" if self.at else "")
        result = [self.exact.table(title)] if self.exact else []
        if self.others:
            result.append(("" if self.exact else title, COLUMNS, [other.row() for other in self.others]))
        columns = ["", "cloud", "s.e.", "reference", "s.e.", "difference / s.e."]
        result.append(("moments", columns, moment_rows(self.cloud_moments, self.reference_moments, self.law)))
        result += [profile.table() for profile in self.profiles.values()]
        return result


def ways_to_decide(
    exact: Comparison | None, clouds: Sequence[ComparedCloud], references: Sequence[ComparedCloud], many: bool
) -> list[str]:
    """Return what these clouds can be given to decide ``exact``; nothing unless it is undecided."""
    if exact is None or not exact.verdict.startswith("undecided"):
        return []
    b, sizes = references[0], [len(one.cloud) for one in (*clouds, *references)]
    halves = exact.floor_source == HALVES
    ways = ["a larger --N" if min([*sizes, *([len(b.cloud) // 2] if halves else [])]) > exact.N else "more particles"]
    if many:
        return [*ways, "more seeds"]
    again = b.simulated and b.t > start_of(b.simulation) and not str(b.simulation["init"]).endswith(".zarr")
    if again and (halves or len(references[1].cloud) < len(b.cloud)):
        ways.append("--floor simulate, a second reference of full size,")
    return ways


def tables(several: list[Compared]) -> list[Table]:
    """Return the tables of one comparison, or tables with a row for each of several."""
    if len(several) == 1:
        return several[0].tables()
    columns = ["", "W2 squared", "s.e.", "floor", "excess", "95 % interval", "verdict"]
    rows: list[Sequence[Any]] = []
    for one in several:
        if one.exact:
            c = one.exact
            interval = "" if c.excess_low is None else f"[{c.excess_low:.4g}, {c.excess_high:.4g}]"
            rows.append([f"{one.at}, N = {c.N}", c.w2_squared, c.w2_squared_se, c.floor, c.excess, interval, c.verdict])
        rows += [[f"{one.at}, {other.row()[0]}", *other.row()[1:]] for other in one.others]
    title = f"{several[0].cloud} against {several[0].reference.split(',')[0]} and others"
    second = [
        [one.at, *row[1:]] for one in several for row in moment_rows(one.cloud_moments, one.reference_moments)[-1:]
    ]
    names = ["E|x|^2", "cloud", "s.e.", "reference", "s.e.", "difference / s.e."]
    return [(title, columns, rows), ("moments", names, second)]
