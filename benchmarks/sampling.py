"""Generating 10^6 particles: the network's pass, the whole command, and the memory it takes as n grows.

    python benchmarks/sampling.py [--model laminar2d-amplitude]

Prints milliseconds of the network pass on one core and on all (best and median of 7, after a warm-up), beside plain
PyTorch on all cores; then seconds and peak memory of the whole command `ksdp sample --n N` for N = 10^6 and 10^7.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ksdp_cli import pretrained as models
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.model import Model
from ksdp_cli.store import open_run

PROGRAM = "import sys; from ksdp_cli.cli.app import main; sys.argv[0] = 'ksdp'; main()"


def times_ms(work: Callable[[], Any], repeats: int = 7) -> tuple[float, float]:
    """Best and median milliseconds, after one call that does not count."""
    work()
    spent = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        spent.append(1e3 * (time.perf_counter() - began))
    return min(spent), float(np.median(spent))


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


def network_pass(name: str) -> None:
    model = Model.load(models.path(name))
    x = Ball().draw(1_000_000, model.dim, 0)
    point, cores = np.array(model.eta_map.high), sorted(os.sched_getaffinity(0))
    print(f"network pass, {name}, 10^6 particles [ms]     best   median")
    for used in [cores[:1], cores] if len(cores) > 1 else [cores]:
        os.sched_setaffinity(0, used)
        best, median = times_ms(lambda: model.push(x, point))
        print(f"  ksdp, {len(used)} core(s)  {best:45.1f} {median:8.1f}", flush=True)
    best, median = times_ms(torch_pass(model, point, x), 3)
    print(f"  torch modules, {len(cores)} core(s)  {best:36.1f} {median:8.1f}", flush=True)


def whole_command(name: str) -> None:
    print("whole command                                  wall s    CPU s  peak MB  network pass s")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "samples.zarr"
        for n in ("1e6", "1e6", "1e7"):
            words = ["sample", name, "--n", n, "-o", str(out), "--overwrite", "--json"]
            began = time.perf_counter()
            child = subprocess.Popen([sys.executable, "-c", PROGRAM, *words], stdout=subprocess.DEVNULL)
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - began
            if status:
                raise SystemExit(f"ksdp {' '.join(words)} failed")
            cpu, passed = used.ru_utime + used.ru_stime, open_run(out).attrs["network_seconds"]
            title = f"ksdp sample {name} --n {n}"
            print(f"  {title:42} {wall:8.2f} {cpu:8.2f} {used.ru_maxrss / 1024:8.0f} {passed:8.3f}", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="time and memory of generating particles")
    parser.add_argument("--model", default=models.DEFAULT)
    chosen = parser.parse_args().model
    network_pass(chosen)
    whole_command(chosen)
