"""Time a whole training of Table 2 on a device, with the share of the host's solver; W2^2 beside the paper's.

    python benchmarks/table2_training.py [--device cuda] [--experiment laminar2d-amplitude] [--scale paper]

Simulates the data and the references, trains one network, measures it at the rows of Table 2, and prints JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.base import device as devices
from ksdp_cli.experiments import table2
from ksdp_cli.experiments.definition import read
from ksdp_cli.experiments.stages import Stages
from ksdp_cli.learning.batches import Batches


@contextlib.contextmanager
def timed(owner: Any, name: str) -> Iterator[list[float]]:
    """The seconds of every call of a method meanwhile."""
    plain, spent = getattr(owner, name), []

    def call(*args: Any, **named: Any) -> Any:
        began = time.perf_counter()
        try:
            return plain(*args, **named)
        finally:
            spent.append(time.perf_counter() - began)

    setattr(owner, name, call)
    try:
        yield spent
    finally:
        setattr(owner, name, plain)


def measure(
    device: str,
    folder: Path,
    experiment: str = "laminar2d-amplitude",
    scale: str = "paper",
    n: int = 10_000,
    references: int = 2,
    seed: int = 0,
) -> dict[str, Any]:
    """Train on ``device`` and measure the rows of Table 2 that the paper has, at ``n`` particles a side.

    ``seconds``: the training's; ``solver_seconds`` and ``drawing_seconds``: of these, those that certified solves and
    the drawing of mini-batches take on the host. ``rows``: for each place ``at``, the squared W2 ``ours``, the noise
    ``floor`` of as many independent simulations as ``references``, the ``paper``'s number, and ``reached``: whether
    ours is not above it. The paper does not say its N; at A = 50 the floor alone is above its number for 2000. A
    ``folder`` that already holds the network gives no seconds.
    """
    definition = read(experiment)
    size = definition.scale(scale).model_copy(update={"references": references, "seeds": 1, "N": (n,)})
    stages = Stages(definition.model_copy(update={"scales": {scale: size}}), scale, folder, device=device)
    began = time.perf_counter()
    stages.data()
    simulated = time.perf_counter() - began
    with timed(Certified, "solve") as solves, timed(Batches, "draw") as draws:
        path, model = stages.network(seed)
    trained = model.provenance["result"]
    rows = [row for row in definition.rows if row.paper is not None]
    entries = [entry for row in rows for entry in table2.evaluate(stages, row, [seed], n)]
    return {
        "experiment": experiment,
        "scale": scale,
        "hardware": devices.describe(devices.choose(device)),
        "network": path.name,
        "simulation_seconds": simulated,
        "seconds": trained["seconds"] if solves else None,
        "solver_seconds": sum(solves),
        "drawing_seconds": sum(draws),
        "validation_W2_squared": trained["validation_W2_squared"],
        "validation_floor": trained["floor_W2_squared"],
        "N": n,
        "rows": [
            {
                "at": entry.at,
                "ours": entry.ours,
                "floor": entry.floor,
                "paper": entry.paper,
                "reached": entry.paper is not None and entry.ours <= entry.paper,
            }
            for entry in entries
        ],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="train one network of Table 2 and measure it")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--experiment", default="laminar2d-amplitude")
    parser.add_argument("--scale", default="paper")
    parser.add_argument("--N", type=int, default=10_000)
    parser.add_argument("--folder", type=Path, help="keep everything here; default a temporary folder")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        print(
            json.dumps(measure(arguments.device, folder, arguments.experiment, arguments.scale, arguments.N), indent=1)
        )


if __name__ == "__main__":
    main()
