"""Compare optimisers and renewal intervals at equal numbers of gradient steps, on one store.

    python benchmarks/optimisers.py [STORE] [--steps 1000]

STORE is the output of 'ksdp simulate --flow laminar2d --A 1:100:11log --T 0.02'; without it one is made. Prints, for
Adam and SOAP with rare and with frequent mini-batches, the last loss, and validation beside its floor.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from harness import Table, parser

import ksdp_cli as ksdp

NAMES = {"adam": "Adam", "soap": "SOAP"}
WAYS = [("adam", 5e-3, 500), ("adam", 5e-3, 50), ("soap", 3e-3, 500), ("soap", 3e-3, 50)]


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("store", type=Path, nargs="?")
    arguments.add_argument("--steps", type=int, default=1000)
    arguments.add_argument("--N", type=int, default=2000)
    options = arguments.parse_args()
    folder = Path(tempfile.mkdtemp())
    store = options.store or ksdp.simulate(flow="laminar2d", A="1:100:11log", T=0.02, out=folder / "run.zarr")
    columns = ["optimiser", "steps between mini-batches", "loss", "validation", "floor"]
    table = Table("training/optimisers", columns)
    for name, size, interval in WAYS:
        told = {"optimiser": name, "learning_rate": size, "renew_batch": interval, "renew_gamma": min(interval, 100)}
        out = folder / f"{name}-{interval}.safetensors"
        history = ksdp.train(store, out=out, steps=options.steps, N=options.N, **told).trained.history
        row = history[-1]
        numbers = (f"{row[column]:.4f}" for column in ("loss", "validation", "floor"))
        table.row(NAMES[name], interval, *numbers)
    if options.record:
        table.record()


if __name__ == "__main__":
    main()
