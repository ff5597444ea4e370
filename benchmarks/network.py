"""The network on the CPU: the compiled passes beside plain PyTorch, on one thread and on all.

    python benchmarks/network.py

Prints milliseconds of one gradient step with Adam at 11 x 2000 points (the paper's mini-batch, d = 2, p = 1) and of
pushing 10^6 particles, the median of several after a warm-up, and the largest difference between the two answers.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from ksdp_cli.learning.network.network import Network
from ksdp_cli.learning.optimisers.adam import Adam


def median_ms(work: Callable[[], Any], repeats: int) -> float:
    work()
    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        spent.append(time.perf_counter() - began)
    return 1e3 * float(np.median(spent))


def plain(network: Network, theta: np.ndarray) -> torch.nn.Sequential:
    """The usual PyTorch module with the same weights."""
    parts: list[torch.nn.Module] = []
    for weight, bias in network.layers(theta):
        linear = torch.nn.Linear(weight.shape[1], weight.shape[0])
        linear.weight.data, linear.bias.data = torch.tensor(weight), torch.tensor(bias)
        parts += [linear, torch.nn.Tanh()]
    return torch.nn.Sequential(*parts[:-1])


def main() -> None:
    network, generator = Network(2, 1), np.random.default_rng(0)
    theta = network.initial(0)
    inputs = generator.standard_normal((22_000, 3)).astype(np.float32)
    targets = generator.standard_normal((22_000, 2)).astype(np.float32)
    many = generator.standard_normal((1_000_000, 3)).astype(np.float32)
    peer = plain(network, theta)
    x, y, wide = torch.tensor(inputs), torch.tensor(targets), torch.tensor(many)
    with torch.no_grad():
        apart = np.abs(network.evaluate(theta, many) - peer(wide).numpy()).max()
    print(f"largest difference of the two answers: {apart:.1e}")
    print(f"{'threads':>7} {'':14} {'ksdp ms':>9} {'torch ms':>9} {'ratio':>6}")
    for threads in sorted({1, os.cpu_count() or 1}):
        torch.set_num_threads(threads)
        optimiser, adam = torch.optim.Adam(peer.parameters(), lr=1e-3), Adam(theta)

        def step(threads: int = threads, adam: Adam = adam) -> None:
            _, slopes = network.gradient(theta, inputs, targets, threads)
            adam.update(theta, slopes, 0, 1e-3)

        def torch_step(optimiser: torch.optim.Adam = optimiser) -> None:
            optimiser.zero_grad()
            ((peer(x) - y) ** 2).sum(1).mean().backward()
            optimiser.step()

        def torch_push() -> None:
            with torch.no_grad():
                peer(wide)

        rows = [
            ("gradient step", median_ms(step, 20), median_ms(torch_step, 20)),
            ("push 1e6", median_ms(lambda t=threads: network.evaluate(theta, many, t), 5), median_ms(torch_push, 3)),
        ]
        for name, own, other in rows:
            print(f"{threads:7} {name:14} {own:9.1f} {other:9.1f} {other / own:6.2f}")


if __name__ == "__main__":
    main()
