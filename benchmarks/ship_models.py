"""Make the networks that ship with ksdp again, from the experiments that ship with it.

    python benchmarks/ship_models.py [NAME ...] [--scale paper] [--seeds 5] [--folder runs/reproduce-paper]

Runs the stages of `ksdp reproduce table2` and of the experiments with eps > 0, or reuses them from the folder. Copies
the network of each (named) experiment that validated best on its held-out particles into ksdp_cli/pretrained; the rows
of Table 2 do not enter. Prints each network's validation and size.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ksdp_cli import pretrained as models
from ksdp_cli.experiments.definition import SHIPPED, read
from ksdp_cli.experiments.stages import Stages


def main() -> None:
    parser = argparse.ArgumentParser(description="make the networks that ship with ksdp again")
    parser.add_argument("names", nargs="*", choices=[*SHIPPED, []], metavar="NAME")
    parser.add_argument("--scale", default="paper")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--folder", type=Path, help="default runs/reproduce-SCALE")
    arguments = parser.parse_args()
    folder = arguments.folder or Path("runs") / f"reproduce-{arguments.scale}"
    print(f"{'model':24} {'seed':>4} {'validation W2^2':>16} {'bytes':>7} {'training s':>11}")
    for name in arguments.names or SHIPPED:
        stages = Stages(read(name), arguments.scale, folder / name)
        found = {}
        for seed in range(arguments.seeds):
            _, model = stages.network(seed)
            done = stages.ledger.stages[f"train-{seed}"]
            found[seed] = (done.result["best_validation_W2_squared"], done.seconds, model)
        best = min(found, key=lambda seed: found[seed][0])
        value, seconds, model = found[best]
        target = models.path(name)
        model.save(target)
        print(f"{name:24} {best:4} {value:16.5f} {target.stat().st_size:7} {seconds:11.1f}", flush=True)


if __name__ == "__main__":
    main()
