"""The 2D blob's sum by KeOps, as a process: route (numpy or torch), file of points, file of forces, delta^2.

By the route of NumPy torch is not imported, and its own compiler library not loaded beside the one that KeOps links.
The last line is JSON: the median of three calls in seconds, and what KeOps found.
"""

from __future__ import annotations

import json
import math
import os
import statistics
import sys
import time
from typing import Any

import numpy as np


def main(route: str, points: str, forces: str, delta2: float) -> int:
    import pykeops  # before torch
    from pykeops import config

    names = ("gpu_available", "use_cuda", "cuda_available", "CUDA_PATH", "cuda_include_path")
    found = {name: getattr(config, name) for name in names if hasattr(config, name)}
    about = f"{pykeops.__version__}, CUDA_PATH {os.environ.get('CUDA_PATH')}, config {found}"
    print(about, flush=True)
    if not any(bool(found.get(name)) for name in ("gpu_available", "use_cuda", "cuda_available")):
        print("it would run on the CPU")
        return 1
    x: Any = np.load(points)
    if route == "torch":
        import torch
        from pykeops.torch import LazyTensor

        x = torch.from_numpy(x).cuda()
        wait = torch.cuda.synchronize
    else:
        from pykeops.numpy import LazyTensor

        def wait() -> None:
            """The answer is on the host."""

    def call() -> Any:
        away = LazyTensor(x[None, :, :]) - LazyTensor(x[:, None, :])
        w = 1.0 / (2.0 * math.pi * ((away**2).sum(-1) + delta2))
        return (w * away).sum(1, backend="GPU")

    force = call()
    seconds = []
    for _ in range(3):
        wait()
        began = time.perf_counter()
        force = call()
        wait()
        seconds.append(time.perf_counter() - began)
    np.save(forces, force if route == "numpy" else force.cpu().numpy())
    print(json.dumps({"seconds": statistics.median(seconds), "about": about}))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4], float(sys.argv[4])))
