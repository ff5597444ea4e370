"""Time one gradient step with its optimiser beside the plain PyTorch loop with Adam.

    python benchmarks/gradient_step.py

11 x 2000 points, one thread each, in turns within one run: milliseconds (best of 30) of the compiled pass with Adam
and with SOAP, for the paper's network and for the default form, beside torch on the network of the same form.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from harness import Table, in_turns, parser

from ksdp_cli.learning.network.gpu import forward
from ksdp_cli.learning.network.network import Network
from ksdp_cli.learning.optimisers.adam import Adam
from ksdp_cli.learning.optimisers.soap import Soap

POINTS, REPEATS = 11 * 2000, 30


def steps(network: Network) -> list[Callable[[], object]]:
    """A step with Adam, with SOAP, and by torch with Adam, each with a state of its own."""
    generator = np.random.default_rng(0)
    width = network.sizes[0] + network.heads
    rows = generator.standard_normal((POINTS, width)).astype(np.float32)
    targets = generator.standard_normal((POINTS, network.dim)).astype(np.float32)
    count = iter(range(10**9))
    ways: list[Callable[[], object]] = []
    for optimiser in (Adam(network.initial(0)), Soap(network, network.initial(0))):
        theta = network.initial(0)

        def step(theta: np.ndarray = theta, optimiser: Adam | Soap = optimiser) -> None:
            _, slopes = network.gradient(theta, rows, targets, threads=1)
            optimiser.update(theta, slopes, next(count), 1e-3)

        ways.append(step)
    weights = torch.nn.Parameter(torch.tensor(network.initial(0)))
    peer = torch.optim.Adam([weights], lr=1e-3)
    x, y = torch.tensor(rows), torch.tensor(targets)

    def plain() -> None:
        peer.zero_grad()
        ((forward(network, weights, x) - y) ** 2).sum(1).mean().backward()
        peer.step()

    return [*ways, plain]


def main() -> None:
    arguments = parser(__doc__).parse_args()
    torch.set_num_threads(1)
    table = Table("training/gradient-step", ("network", "d", "Adam ms", "SOAP ms", "torch ms", "SOAP's ratio"))
    for form in ("paper", "separable"):
        for dim in (2, 3):
            adam, soap, peer = (1e3 * used.wall for used in in_turns(steps(Network(dim, 1, form)), REPEATS))
            table.row(f"`{form}`", dim, f"{adam:.1f}", f"{soap:.1f}", f"{peer:.1f}", f"{peer / soap:.1f}")
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
