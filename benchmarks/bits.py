"""Print the SHA-256 of the positions or weights of twelve small runs, as JSON.

    python benchmarks/bits.py > after.json

A change that must move no bit prints the same before and after, on one machine. Makes the runs twice and prints the
second: a process that compiles may differ in training.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ksdp_cli as ksdp
from ksdp_cli.errors import Interrupted

#: A flow in the plane and one in space, and a sweep; each of a few hundred particles and a few steps.
PLANE = {"flow": "laminar2d", "A": 10.0, "J": 300, "dt": 1e-3, "T": 0.0125, "snapshots": [0.0, 0.0041, 0.0125]}
SPACE = {"flow": "kolmogorov", "A": 20.0, "J": 300, "dt": 1e-3, "T": 0.01, "seed": 3}
SWEEP = PLANE | {"A": [1.0, 10.0], "chi": [1.0, 0.5]}
TREE = {"engine": "tree", "J": 3000}
RUNS: dict[str, dict[str, Any]] = {
    "direct, 2D, euler, float32": PLANE,
    "direct, 3D, euler, float32": SPACE,
    "direct, 2D, heun, float64": PLANE | {"scheme": "heun", "dtype": "float64"},
    "tree, 2D, euler, float32": PLANE | TREE,
    "tree, 3D, heun, float64": SPACE | TREE | {"scheme": "heun", "dtype": "float64", "accuracy": 1e-3},
    "direct, 2D, sweep of two parameters": SWEEP,
    "tree, 2D, sweep of two parameters, heun": SWEEP | TREE | {"scheme": "heun"},
}


def stopped_after(steps: int) -> Callable[[], int | None]:
    """A ``stop`` that requests the end after a number of calls."""
    calls = iter(range(steps))
    return lambda: None if next(calls, None) is not None else 15


def of_run(run: ksdp.Run) -> str:
    """Digest of all frames of a store."""
    sha = hashlib.sha256()
    for case in range(len(run.cases)):
        for k in range(len(run.times)):
            sha.update(run.frame(case, k).tobytes())
    return sha.hexdigest()


def of_weights(path: Path) -> str:
    """Digest of the tensors of a model, without the header that says how they were made."""
    content = path.read_bytes()
    return hashlib.sha256(content[8 + int.from_bytes(content[:8], "little") :]).hexdigest()


def digests(folder: Path) -> Iterator[tuple[str, str]]:
    """Name and digest of each run, made in an empty ``folder``."""
    for number, (name, options) in enumerate(RUNS.items()):
        yield name, of_run(ksdp.simulate(out=folder / f"{number}.zarr", device="cpu", **options))
    for name, options in {"direct sweep, heun": SWEEP | {"scheme": "heun"}, "tree": PLANE | TREE}.items():
        path = folder / f"{name}.zarr"
        for steps in (5, 9):  # before a snapshot, and after the first case has reached it
            with contextlib.suppress(Interrupted):
                ksdp.simulate(out=path, device="cpu", resume=True, stop=stopped_after(steps), **options)
        yield f"{name}, interrupted twice", of_run(ksdp.simulate(out=path, device="cpu", resume=True, **options))
    begun = folder / "direct sweep, heun.zarr"
    later = ksdp.simulate(out=folder / "later.zarr", init=f"{begun}@A=10,chi=1", device="cpu", J=300, T=0.004, dt=1e-3)
    longer = SWEEP | {"scheme": "heun", "T": 0.02, "snapshots": [*SWEEP["snapshots"], 0.02]}
    extended = ksdp.simulate(out=begun, device="cpu", resume=True, **longer)
    yield "continued from a frame, then a run to a later T", of_run(later) + of_run(extended)
    swept = ksdp.simulate(out=folder / "data.zarr", device="cpu", **PLANE | {"A": [1.0, 5.0, 10.0]})
    trained = ksdp.train(swept, out=folder / "net.safetensors", steps=12, N=60, validate_n=60, device="cpu")
    samples = ksdp.sample(trained.path, n=500, A=7.0, out=folder / "samples.zarr", device="cpu")
    yield "trained for a few steps", of_weights(trained.path)
    yield "sampled", of_run(samples)


def main() -> None:
    for _ in range(2):
        with tempfile.TemporaryDirectory() as folder:
            found = dict(digests(Path(folder)))
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
