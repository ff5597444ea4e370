"""Own clouds: compare the network, default settings, with a one-step flow of equal weights and seconds, at N = 10^4.

    python benchmarks/own_clouds.py [--clouds moons,gaussians,checkerboard,swiss-roll] [--J 10000] [--draws 5]
                                    [--references 4] [--N 10000] [--record]

The clouds are made here. Both learn from the same J points, drawn and learned, with a seed of the training each, as
often as ``--draws`` says; the flow is RealNVP (Dinh et al., ICLR 2017) of 8 affine couplings, by maximum likelihood and
Adam, for the processor seconds that `ksdp train` took, on one thread each. Exact W2^2 between N fresh points of each
and each of the references, N points of the law (the flow, and *given*, the J points themselves: one of these in turn),
mean with its standard error; *floor*: between pairs of references. The error of the excess is that over draws together
with that over references, by the jackknife.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from harness import Table, parser

import ksdp_cli as ksdp
from ksdp_cli.experiments.table2 import jackknife
from ksdp_cli.metrics.wasserstein import exact_w2_squared

Generator = np.random.Generator
COUPLINGS, HIDDEN, BATCH, RATE = 8, 20, 1000, 5e-3


def moons(n: int, g: Generator) -> np.ndarray:
    """Two half circles of radius 2, one in the other, with noise 0.2."""
    angle, upper = np.pi * g.random(n), g.random(n) < 0.5
    x = np.where(upper, np.cos(angle), 1 - np.cos(angle))
    y = np.where(upper, np.sin(angle), 0.5 - np.sin(angle))
    return 2 * (np.stack([x, y], 1) + 0.1 * g.standard_normal((n, 2))) - np.array([1.0, 0.2])


def gaussians(n: int, g: Generator) -> np.ndarray:
    """Eight normal laws of width 0.35 on a circle of radius 2.8."""
    angle = np.pi / 4 * g.integers(0, 8, n)
    return (4 * np.stack([np.cos(angle), np.sin(angle)], 1) + 0.5 * g.standard_normal((n, 2))) / np.sqrt(2)


def checkerboard(n: int, g: Generator) -> np.ndarray:
    """The black squares of a 4 x 4 board of side 8."""
    x = 4 * g.random(n) - 2
    return 2 * np.stack([x, g.random(n) - 2 * g.integers(0, 2, n) + np.floor(x) % 2], 1)


def swiss_roll(n: int, g: Generator) -> np.ndarray:
    """A spiral of one and a half turns, out to 2.8, with noise 0.2."""
    angle = 1.5 * np.pi * (1 + 2 * g.random(n))
    return (np.stack([angle * np.cos(angle), angle * np.sin(angle)], 1) + g.standard_normal((n, 2))) / 5


CLOUDS: dict[str, Callable[[int, Generator], np.ndarray]] = {
    "moons": moons, "gaussians": gaussians, "checkerboard": checkerboard, "swiss-roll": swiss_roll,
}  # fmt: skip


def flow(points: np.ndarray, seconds: float, seed: int = 0) -> tuple[Callable[[int], np.ndarray], int, int]:
    """A sampler of RealNVP trained on ``points`` (J, 2) for processor ``seconds``; its weights and its steps."""
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(seed)
    middle, scale = torch.tensor(points.mean(0)).float(), float(points.std())
    data = (torch.tensor(points).float() - middle) / scale
    nets = [
        torch.nn.Sequential(
            torch.nn.Linear(1, HIDDEN), torch.nn.Tanh(), torch.nn.Linear(HIDDEN, HIDDEN), torch.nn.Tanh(),
            torch.nn.Linear(HIDDEN, 2),
        )
        for _ in range(COUPLINGS)
    ]  # fmt: skip
    weights = [p for net in nets for p in net.parameters()]
    adam = torch.optim.Adam(weights, RATE)
    began, steps, used = time.process_time(), 0, 0.0
    while used < 1:
        for group in adam.param_groups:
            group["lr"] = RATE * (0.01 + 0.99 * (1 + np.cos(np.pi * used)) / 2)
        x = data[torch.randint(len(data), (BATCH,))]
        logs = torch.zeros(len(x))
        for level, net in enumerate(nets):
            keep, move = x[:, level % 2 : level % 2 + 1], x[:, 1 - level % 2]
            s, shift = net(keep).T
            s = 2 * torch.tanh(s)
            move, logs = (move - shift) * torch.exp(-s), logs - s
            x = torch.stack([keep[:, 0], move] if level % 2 == 0 else [move, keep[:, 0]], 1)
        loss = (0.5 * (x**2).sum(1) - logs).mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
        steps, used = steps + 1, (time.process_time() - began) / seconds

    def sample(n: int) -> np.ndarray:
        with torch.no_grad():
            x = torch.randn(n, 2)
            for level, net in reversed(list(enumerate(nets))):
                keep, move = x[:, level % 2 : level % 2 + 1], x[:, 1 - level % 2]
                s, shift = net(keep).T
                move = move * torch.exp(2 * torch.tanh(s)) + shift
                x = torch.stack([keep[:, 0], move] if level % 2 == 0 else [move, keep[:, 0]], 1)
            return np.asarray(x * scale + middle)

    return sample, sum(p.numel() for p in weights), steps


def learned(points: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, int, float]:
    """``n`` particles of a network of a ``seed``; its weights, and the processor seconds of its training."""
    with tempfile.TemporaryDirectory() as folder:
        data = ksdp.clouds({(): points}, names=[], out=Path(folder) / "data.zarr")
        began = time.process_time()
        trained = ksdp.train(data, seed=seed, out=Path(folder) / "m.safetensors")
        spent = time.process_time() - began
        cloud = ksdp.sample(trained.path, n=n, seed=seed, out=Path(folder) / "cloud.zarr").frame()
    shape: Any = trained.trained.model.network
    return cloud, shape.parameter_count, spent


def main() -> None:
    made = parser(__doc__)
    made.add_argument("--clouds", default=",".join(CLOUDS))
    made.add_argument("--J", type=int, default=10_000)
    made.add_argument("--N", type=int, default=10_000)
    made.add_argument("--draws", type=int, default=5)
    made.add_argument("--references", type=int, default=4)
    options = made.parse_args()
    heads = ("cloud", "floor", "given", "ours", "excess", "flow", "excess of the flow", "weights", "seconds")
    table = Table(f"own-clouds/{'own-clouds' if options.J == options.N else 'more-points'}", heads)
    for name in options.clouds.split(","):
        law, n = CLOUDS[name], options.N
        others = [law(n, np.random.default_rng(100 + i)) for i in range(options.references)]
        between = np.zeros((len(others), len(others)))
        for a, b in itertools.combinations(range(len(others)), 2):
            between[a, b] = between[b, a] = exact_w2_squared(others[a], others[b])
        found, peers, times = [], [], []
        for i in range(options.draws):
            points = law(options.J, np.random.default_rng(1 + i))
            cloud, mine, spent = learned(points, n, i)
            peer, weights, _ = flow(points, spent, i)
            found.append([exact_w2_squared(cloud, other) for other in others])
            peers.append([exact_w2_squared(x, others[i % len(others)]) for x in (points[:n], peer(n))])
            times.append(spent)
        floors = between[np.triu_indices(len(others), 1)]
        ours, (given, theirs) = np.array(found), np.array(peers).T
        floor, each = float(floors.mean()), ours.mean(1)
        by_references = jackknife(ours.mean(0), between) or np.nan

        def cell(values: np.ndarray, less: float = 0.0, more: float = 0.0) -> str:
            error = np.hypot(values.std(ddof=1) / np.sqrt(len(values)), more)
            return f"{values.mean() - less:.4f} ± {error:.4f}"

        table.row(
            name, cell(floors), cell(given), cell(each), cell(each, floor, by_references), cell(theirs),
            cell(theirs, floor), f"{mine}, {weights}", f"{np.mean(times):.0f}",
        )  # fmt: skip
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
