"""One gradient step with its optimiser against the plain PyTorch loop with Adam.

    python benchmarks/gradient_step.py

11 x 2000 points, one thread each, in turns within one run: milliseconds (median of 30) of the compiled pass with Adam
and with SOAP, for the paper's network and for the default form, beside torch on the network of the same form.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch

from ksdp_cli.learning.network.gpu import forward
from ksdp_cli.learning.network.network import Network
from ksdp_cli.learning.optimisers.adam import Adam
from ksdp_cli.learning.optimisers.soap import Soap

POINTS, REPEATS = 11 * 2000, 30


def steps(network: Network) -> dict[str, Callable[[], object]]:
    """The three ways to make a step, each with a state of its own."""
    generator = np.random.default_rng(0)
    width = network.sizes[0] + network.heads
    rows = generator.standard_normal((POINTS, width)).astype(np.float32)
    targets = generator.standard_normal((POINTS, network.dim)).astype(np.float32)
    count = iter(range(10**9))
    made: dict[str, Callable[[], object]] = {}
    for name, optimiser in (("adam", Adam(network.initial(0))), ("soap", Soap(network, network.initial(0)))):
        theta = network.initial(0)

        def step(theta: np.ndarray = theta, optimiser: Adam | Soap = optimiser) -> None:
            _, slopes = network.gradient(theta, rows, targets, threads=1)
            optimiser.update(theta, slopes, next(count), 1e-3)

        made[name] = step
    weights = torch.nn.Parameter(torch.tensor(network.initial(0)))
    peer = torch.optim.Adam([weights], lr=1e-3)
    x, y = torch.tensor(rows), torch.tensor(targets)

    def plain() -> None:
        peer.zero_grad()
        ((forward(network, weights, x) - y) ** 2).sum(1).mean().backward()
        peer.step()

    return made | {"torch": plain}


def main() -> None:
    torch.set_num_threads(1)
    print(f"{'network':>12} {'d':>2} {'adam ms':>8} {'soap ms':>8} {'torch ms':>9} {'adam x':>7} {'soap x':>7}")
    for form in ("paper", "separable"):
        for dim in (2, 3):
            ways, spent = steps(Network(dim, 1, form)), {}
            for work in ways.values():
                work()
            for _ in range(REPEATS):
                for name, work in ways.items():
                    began = time.perf_counter()
                    work()
                    spent.setdefault(name, []).append(1e3 * (time.perf_counter() - began))
            own = {name: float(np.median(times)) for name, times in spent.items()}
            ratios = [own["torch"] / own[name] for name in ("adam", "soap")]
            print(f"{form:>12} {dim:2} {own['adam']:8.1f} {own['soap']:8.1f} {own['torch']:9.1f}", end=" ")
            print(f"{ratios[0]:7.2f} {ratios[1]:7.2f}", flush=True)


if __name__ == "__main__":
    main()
