"""Compare two ways to Table 2's t = 0.12, beyond the trained times: the network alone, and equation (8) after it.

    python benchmarks/beyond.py [--seeds 5] [--N 10000] [--folder PATH] [--experiments ks2d-time,laminar2d-time]

Runs the stages of `ksdp reproduce table2 --scale paper` (J = 10^4, dt = 1e-4, four references) and reuses those in the
folder. *z*: excess over its standard error, from the jackknife over references and the spread over seeds. *time*:
processor seconds of a cloud over those of a whole simulation, each the least of three.
"""

from __future__ import annotations

import math
import tempfile
from pathlib import Path

from harness import Table, in_turns, parser

import ksdp_cli as ksdp
from ksdp_cli.api.references import reference_options
from ksdp_cli.base.listener import discard
from ksdp_cli.experiments.definition import Experiment, read
from ksdp_cli.experiments.stages import Point, Stages
from ksdp_cli.experiments.table2 import Entry, evaluate

EXPERIMENTS = ("ks2d-time", "laminar2d-time")
WAYS = {"network": "the network alone", "simulate": "to t = 0.1, then equation (8)"}


def experiment(name: str) -> Experiment:
    """An experiment whose trainings end with their only validation: the weights are the same."""
    shipped = read(name)
    return shipped.model_copy(update={"training": shipped.training | {"validate_every": 3000}})


def parts(stages: Stages, at: Point, folder: Path) -> list[float]:
    """Processor seconds of a cloud in either of `WAYS`, as parts of those of a whole simulation."""
    _, model = stages.network(0)
    end = reference_options(stages.simulation, at)
    made = {"out": folder / "timed.zarr", "overwrite": True, "warn": discard}
    calls = [lambda: ksdp.simulate(**end, **made)]
    calls += [lambda how=how: ksdp.sample(model, n=10_000, beyond=how, **at, **made) for how in WAYS]
    whole, *ways = in_turns(calls, 3)
    return [way.cpu / whole.cpu for way in ways]


def told(value: float, error: float | None) -> str:
    return f"{value:.4f} ± {error or 0.0:.4f}"


def row(entry: Entry, way: str, part: float) -> list[str]:
    """The row of an entry."""
    error = math.hypot(entry.excess_se or math.nan, (entry.ours_sd or 0.0) / math.sqrt(entry.seeds))
    distances = told(entry.ours, entry.ours_sd), told(entry.floor, entry.floor_sd), told(entry.excess, error)
    return [f"`{entry.experiment}`", way, *distances, f"{entry.excess / error:.1f}", f"{100 * part:.3g} %"]


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--seeds", type=int, default=5)
    arguments.add_argument("--N", type=int, default=10_000)
    arguments.add_argument("--experiments", default=",".join(EXPERIMENTS))
    arguments.add_argument("--folder", type=Path, default=None)
    options = arguments.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    table = Table("table2/beyond", ("experiment", "way", "W2^2", "floor", "excess", "z", "time"))
    for name in options.experiments.split(","):
        stages = Stages(experiment(name), "paper", folder / name)
        beyond = next(row for row in stages.experiment.rows if stages.goes_beyond(dict(row.at)))
        entries = evaluate(stages, beyond, range(options.seeds), options.N)
        for entry, way, part in zip(entries, WAYS.values(), parts(stages, dict(beyond.at), folder), strict=True):
            table.row(*row(entry, way, part))
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
