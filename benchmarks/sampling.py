"""Time the generation of 10^6 particles: the network pass, the whole command, and its memory as n grows.

    python benchmarks/sampling.py [--model laminar2d-amplitude]

Prints milliseconds of the network pass on one core and on all (best of 7, after a warm-up), beside plain
PyTorch on all cores; then seconds and peak memory of the whole command `ksdp sample --n N` for N = 10^6 and 10^7.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from harness import KSDP, Table, best_of, parser, process

from ksdp_cli import pretrained as models
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.model import Model


def torch_pass(model: Model, point: np.ndarray, x: np.ndarray) -> Callable[[], Any]:
    """The network at one point, which is a network of x alone, by PyTorch modules in one piece."""
    import torch

    network, theta = model.network.at(model.theta, model.eta_map.padding(model.network.form, point))
    layers: list[torch.nn.Module] = []
    for weight, bias in network.layers(theta):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight.data, linear.bias.data = torch.tensor(weight), torch.tensor(bias)
        layers += [linear, torch.nn.Tanh()]
    net, inputs = torch.nn.Sequential(*layers[:-1]), torch.tensor(x)

    def run() -> Any:
        with torch.no_grad():
            return net(inputs) + inputs if network.residual else net(inputs)

    apart = np.abs(run().numpy() - model.push(x, point)).max()
    print(f"largest difference of the two answers: {apart:.1e}")
    return run


def network_pass(name: str) -> Table:
    """Milliseconds of the pass, best of 7, on one core and on all, beside torch."""
    model = Model.load(models.path(name))
    x = Ball().draw(1_000_000, model.dim, 0)
    point, cores = np.array(model.eta_map.high), sorted(os.sched_getaffinity(0))
    words = {len(cores): f"{len(cores)} cores", 1: "one core"}
    table = Table("sampling/pass", ("network pass, 10^6 particles", "ms"))
    for used in [cores[:1], cores] if len(cores) > 1 else [cores]:
        os.sched_setaffinity(0, used)
        table.row(f"ksdp, {words[len(used)]}", f"{1e3 * best_of(lambda: model.push(x, point), 7).wall:.0f}")
    peer = best_of(torch_pass(model, point, x), 3).wall
    table.row(f"torch modules, {words[len(cores)]}", f"{1e3 * peer:.0f}")
    return table


def whole_command(name: str) -> Table:
    """Seconds and memory of the command."""
    table = Table("sampling/command", ("whole command", "wall s", "processor s", "peak MB"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "samples.zarr"
        for n in ("1e6", "1e7"):
            words = ["sample", name, "--n", n, "-o", str(out), "--overwrite"]
            used = min(process([*KSDP, *words]) for _ in range(2))
            title = f"`ksdp sample {name} --n {n}`"
            table.row(title, f"{used.wall:.1f}", f"{used.cpu:.1f}", f"{1024 * used.memory:.0f}")
    return table


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--model", default=models.DEFAULT)
    arguments = options.parse_args()
    for table in (network_pass(arguments.model), whole_command(arguments.model)):
        if arguments.record:
            table.record()


if __name__ == "__main__":
    main()
