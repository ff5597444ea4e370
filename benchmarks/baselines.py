"""Compare DeepParticle with other generative methods: same data, network size, processor time and metric.

    python benchmarks/baselines.py [--flow laminar2d] [--seconds 60] [--seeds 2] [--J 10000]

Every generator is the network of equation (13) (5 x 30 tanh, eta padded on; flow methods pad the time on too). Each
gets the same processor seconds on one thread. The score is the exact squared W2 at N = 2000 to a fresh simulation,
inside and outside of the trained range, beside its noise floor. The methods follow their authors:

- WGAN-GP: Arjovsky, Chintala and Bottou (2017); Gulrajani et al. (2017). The paper compares with it in words.
- flow matching with mini-batch optimal transport: Tong et al., TMLR (2024); 20 Heun steps to sample.
- rectified flow: Liu, Gong and Liu (2023). Half of the time goes to the flow above, half to its one-step student.
- MeanFlow: Geng et al. (2025). One step to sample.
- Sinkhorn divergence: Genevay, Peyre and Cuturi (2018), in batches, by stochastic gradients.
"""

from __future__ import annotations

import itertools
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from harness import Table, parser
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

os.environ["KSDP_THREADS"] = "1"

import ksdp_cli as ksdp
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.metrics import exact_w2_squared

POINTS, BATCH, N = (50.0, 130.0), 512, 2000
Sampler = Callable[[Tensor, Tensor], Tensor]


class Data:
    """Clouds (sets, J, d) at eta (sets,), and batches (x, y, eta) of one set drawn at random."""

    def __init__(self, run: Any, seed: int) -> None:
        self.clouds = torch.from_numpy(np.stack([run.frame(case) for case in range(len(run.cases))]))
        grid = np.array([[case["A"]] for case in run.cases])
        self.map = EtaMap.of(("A",), grid)
        self.eta = torch.from_numpy(self.map.normalise(grid))
        self.dim, self.seed, self.drawn = self.clouds.shape[2], seed, 0
        self.random = torch.Generator().manual_seed(seed)

    def batch(self) -> tuple[Tensor, Tensor, Tensor]:
        self.drawn += 1
        chosen = int(torch.randint(len(self.clouds), (), generator=self.random))
        rows = torch.randperm(self.clouds.shape[1], generator=self.random)[:BATCH]
        x = torch.from_numpy(Ball().draw(BATCH, self.dim, 10_000 + self.seed, stream=self.drawn))
        return x, self.clouds[chosen][rows], self.eta[chosen].expand(BATCH, 1)


def network(inputs: int, outputs: int, width: int = 30) -> nn.Sequential:
    sizes = [inputs, *[width] * 5]
    layers = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.Tanh())]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def join(*parts: Tensor) -> Tensor:
    return torch.cat(parts, 1)


def clock(seconds: float, optimiser: torch.optim.Optimizer) -> Iterator[None]:
    """Steps until the time is over; the step size decays to a hundredth as a cosine of the time."""
    first, began = optimiser.param_groups[0]["lr"], time.process_time()
    while (part := (time.process_time() - began) / seconds) < 1:
        optimiser.param_groups[0]["lr"] = first * (0.01 + 0.99 * 0.5 * (1 + np.cos(np.pi * part)))
        yield


def wgan(data: Data, seconds: float) -> Sampler:
    d = data.dim
    generator, critic = network(d + 1, d), network(d + 1, 1, 64)
    g = torch.optim.Adam(generator.parameters(), 1e-3, betas=(0.0, 0.9))
    c = torch.optim.Adam(critic.parameters(), 1e-3, betas=(0.0, 0.9))
    for _ in clock(seconds, g):
        for _ in range(5):
            x, y, eta = data.batch()
            fake = generator(join(x, eta)).detach()
            u = torch.rand(BATCH, 1)
            between = (u * y + (1 - u) * fake).requires_grad_()
            (slope,) = torch.autograd.grad(critic(join(between, eta)).sum(), between, create_graph=True)
            loss = critic(join(fake, eta)).mean() - critic(join(y, eta)).mean()
            c.zero_grad()
            (loss + 10 * ((slope.norm(dim=1) - 1) ** 2).mean()).backward()
            c.step()
        x, _, eta = data.batch()
        g.zero_grad()
        (-critic(join(generator(join(x, eta)), eta)).mean()).backward()
        g.step()
    return lambda x, eta: generator(join(x, eta))


def matched(x: Tensor, y: Tensor) -> Tensor:
    """``y`` in the order of the optimal assignment to ``x``."""
    return y[linear_sum_assignment(torch.cdist(x, y).square().numpy())[1]]


def flow_matching(data: Data, seconds: float) -> Sampler:
    velocity = network(data.dim + 2, data.dim)
    optimiser = torch.optim.Adam(velocity.parameters(), 5e-3)
    for _ in clock(seconds, optimiser):
        x, y, eta = data.batch()
        y = matched(x, y)
        t = torch.rand(BATCH, 1)
        optimiser.zero_grad()
        (velocity(join(x + t * (y - x), t, eta)) - (y - x)).square().sum(1).mean().backward()
        optimiser.step()

    def sample(x: Tensor, eta: Tensor, steps: int = 20) -> Tensor:
        h = 1 / steps
        for k in range(steps):
            t = torch.full((len(x), 1), k * h)
            first = velocity(join(x, t, eta))
            x = x + 0.5 * h * (first + velocity(join(x + h * first, t + h, eta)))
        return x

    return sample


def rectified(data: Data, seconds: float) -> Sampler:
    teacher = flow_matching(data, seconds / 2)
    student = network(data.dim + 1, data.dim)
    optimiser = torch.optim.Adam(student.parameters(), 5e-3)
    for _ in clock(seconds / 2, optimiser):
        x, _, eta = data.batch()
        with torch.no_grad():
            y = teacher(x, eta)
        optimiser.zero_grad()
        (x + student(join(x, eta)) - y).square().sum(1).mean().backward()
        optimiser.step()
    return lambda x, eta: x + student(join(x, eta))


def mean_flow(data: Data, seconds: float) -> Sampler:
    average = network(data.dim + 3, data.dim)
    optimiser = torch.optim.Adam(average.parameters(), 5e-3)
    for _ in clock(seconds, optimiser):
        x, y, eta = data.batch()
        y = matched(x, y)
        ends = torch.rand(BATCH, 2).sort(1).values
        r, t = ends[:, :1], ends[:, 1:]
        r = torch.where(torch.rand(BATCH, 1) < 0.75, t, r)  # most pairs are instantaneous
        z, v = y + t * (x - y), x - y  # time 0 is the data, 1 the initial cloud

        def u(z: Tensor, r: Tensor, t: Tensor, eta: Tensor = eta) -> Tensor:
            return average(join(z, r, t, eta))

        value, slope = torch.func.jvp(u, (z, r, t), (v, torch.zeros_like(r), torch.ones_like(t)))
        optimiser.zero_grad()
        (value - (v - (t - r) * slope).detach()).square().sum(1).mean().backward()
        optimiser.step()
    return lambda x, eta: x - average(join(x, torch.zeros(len(x), 1), torch.ones(len(x), 1), eta))


def sinkhorn(data: Data, seconds: float) -> Sampler:
    generator = network(data.dim + 1, data.dim)
    optimiser = torch.optim.Adam(generator.parameters(), 5e-3)

    def cost(a: Tensor, b: Tensor, blur: float = 0.02, rounds: int = 30) -> Tensor:
        c = torch.cdist(a, b).square()
        f = torch.zeros(len(a))
        with torch.no_grad():
            for _ in range(rounds):
                g = -blur * torch.logsumexp((f[:, None] - c) / blur - np.log(len(a)), 0)
                f = -blur * torch.logsumexp((g[None] - c) / blur - np.log(len(b)), 1)
            plan = torch.exp((f[:, None] + g[None] - c) / blur) / (len(a) * len(b))
        return (plan * c).sum()

    for _ in clock(seconds, optimiser):
        x, y, eta = data.batch()
        z = generator(join(x, eta))
        optimiser.zero_grad()
        (cost(z, y) - 0.5 * cost(z, z)).backward()
        optimiser.step()
    return lambda x, eta: generator(join(x, eta))


METHODS = {
    "flow matching, mini-batch OT, 40 evaluations to sample": flow_matching,
    "MeanFlow, one step": mean_flow,
    "rectified flow, one step": rectified,
    "Sinkhorn divergence": sinkhorn,
    "WGAN-GP": wgan,
}


def deep_particle(run: Any, seconds: float, seed: int, folder: Path) -> Sampler:
    """`ksdp.train` with as many steps as fit into the time, estimated by a short run."""

    def train(steps: int) -> Any:
        return ksdp.train(run, steps=steps, seed=seed, out=folder / "model.safetensors", overwrite=True)

    began = time.process_time()
    train(200)
    steps = max(200, int(0.9 * 200 * seconds / (time.process_time() - began)))
    began = time.process_time()
    model = train(steps).trained.model
    print(f"  {steps} steps in {time.process_time() - began:.0f} s", flush=True)
    return lambda x, eta: torch.from_numpy(model.push(x.numpy(), np.array([float(eta[0, 0])])))


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("--flow", default="laminar2d")
    arguments.add_argument("--seconds", type=float, default=60.0)
    arguments.add_argument("--seeds", type=int, default=2)
    arguments.add_argument("--J", type=int, default=10_000)
    options = arguments.parse_args()
    torch.set_num_threads(1)
    table = Table("other-methods/baselines", ["method", *(f"A = {A:g}" for A in POINTS)], 20)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        common = {"flow": options.flow, "T": 0.02, "J": options.J}
        run = ksdp.simulate(A="1:100:11log", out=folder / "run.zarr", **common)
        fresh = [ksdp.simulate(A=POINTS, seed=seed, out=folder / f"fresh-{seed}.zarr", **common) for seed in (101, 102)]
        clouds = [[one.frame(case)[:N] for one in fresh] for case in range(len(POINTS))]
        table.row("noise floor", *(f"{exact_w2_squared(*pair):.4f}" for pair in clouds))
        sets = [Data(run, seed) for seed in range(options.seeds)]

        def score(sampler: Sampler, data: Data, raw: bool) -> list[float]:
            """Squared W2 at each point, mean over the fresh runs."""
            x, row = torch.from_numpy(Ball().draw(N, data.dim, 777 + data.seed)), []
            for A, pair in zip(POINTS, clouds, strict=True):
                eta = torch.tensor([[A]]) if raw else torch.from_numpy(data.map.normalise(np.array([[A]])))
                with torch.no_grad():
                    made = sampler(x, eta.expand(N, 1)).numpy()
                row.append(float(np.mean([exact_w2_squared(made, reference) for reference in pair])))
            return row

        def finish(title: str, rows: list[list[float]]) -> None:
            table.row(title, *(f"{m:.4f} ± {s:.4f}" for m, s in zip(np.mean(rows, 0), np.std(rows, 0), strict=True)))

        own = [score(deep_particle(run, options.seconds, d.seed, folder), d, True) for d in sets]
        finish("DeepParticle (`ksdp train`)", own)
        for title, method in METHODS.items():
            rows = []
            for data in sets:
                torch.manual_seed(data.seed)
                rows.append(score(method(data, options.seconds), data, False))
            finish(title, rows)
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
