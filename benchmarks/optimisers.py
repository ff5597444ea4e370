"""Compare optimisers and renewal intervals at equal numbers of gradient steps, on one store.

    python benchmarks/optimisers.py [STORE] [--steps 1500]

STORE is the output of 'ksdp simulate --flow laminar2d --A 1:100:11log --T 0.02'; without it one is made. Prints, for
Adam and SOAP with rare and with frequent mini-batches, seconds, the last loss, and validation beside its floor.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import ksdp_cli as ksdp

WAYS = [("adam", 5e-3, 500), ("adam", 5e-3, 50), ("soap", 3e-3, 500), ("soap", 3e-3, 50)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", type=Path, nargs="?")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--N", type=int, default=2000)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    store = options.store or ksdp.simulate(flow="laminar2d", A="1:100:11log", T=0.02, out=folder / "run.zarr")
    print(f"{'optimiser':>9} {'renewed':>8} {'seconds':>8} {'loss':>8} {'validation':>10} {'floor':>8}")
    for name, size, interval in WAYS:
        told = {"optimiser": name, "learning_rate": size, "renew_batch": interval, "renew_gamma": min(interval, 100)}
        out = folder / f"{name}-{interval}.safetensors"
        history = ksdp.train(store, out=out, steps=options.steps, N=options.N, **told).trained.history
        row = history[-1]
        numbers = f"{row['seconds']:8.1f} {row['loss']:8.5f} {row['validation']:10.5f} {row['floor']:8.5f}"
        print(f"{name:>9} {interval:8} {numbers}", flush=True)


if __name__ == "__main__":
    main()
