"""Flip one bit at a random place in stored files, and count whether it is reported or other data is read.

    python benchmarks/bit_flips.py [--flips 100] [--seed 0]

Draws places uniformly over all bytes, and for a store also uniformly over its files, so that small metadata files are
hit too. ``reported``: reading raises an error of ksdp. ``unchanged``: positions, coordinates, configuration and
attributes are as before. ``other data`` must be 0. ``xarray`` reads the store without ksdp; there only positions and
coordinates are compared.
"""

from __future__ import annotations

import contextlib
import random
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray
from harness import Table, parser

import ksdp_cli as ksdp
from ksdp_cli.base import checkpoint
from ksdp_cli.errors import Interrupted, KsdpError
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.network import Network

OPTIONS: dict[str, Any] = {"flow": "laminar2d", "A": (1, 10), "J": 500, "snapshots": (0, 1e-3, 2e-3)}


def stored(path: Path) -> Any:
    """All that a reader learns from a store."""
    run = ksdp.open_run(path)
    frames = [run.frame(case, k).tobytes() for case in range(len(run.cases)) for k in range(len(run.times))]
    return frames, run.times.tolist(), run.cases, run.config, run.attrs, run.J, run.dim, run.complete


def by_xarray(path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with xarray.open_zarr(path) as opened:
            names = ("position", "time", "A", "axis")
            return [(opened[name].dims, opened[name].values.tobytes()) for name in names]


def of_checkpoint(path: Path) -> Any:
    header, arrays = checkpoint.load(path)
    return header, {name: (array.dtype, array.shape, array.tobytes()) for name, array in arrays.items()}


def of_model(path: Path) -> Any:
    model = Model.load(path)
    return model.theta.tobytes(), model.eta_map.as_json(), model.training, model.provenance, model.sha256


def make(folder: Path) -> dict[str, tuple[Path, Callable[[Path], Any]]]:
    """A complete store, one that was interrupted with its checkpoint, and a model."""
    ksdp.simulate(**OPTIONS, out=folder / "complete.zarr")
    steps = iter(range(10**6))
    with contextlib.suppress(Interrupted):
        ksdp.simulate(**OPTIONS, out=folder / "part.zarr", stop=lambda: 15 if next(steps) == 30 else None)
    network = Network(2, 1)
    weights = np.random.default_rng(0).standard_normal(network.parameter_count).astype(np.float32)
    eta_map = EtaMap.of(("A",), np.array([[1.0], [10.0]]))
    Model(network, weights, eta_map, {"steps": 100}, {"data": "complete.zarr"}).save(folder / "model.safetensors")
    complete = folder / "complete.zarr"
    return {
        "complete store": (complete, stored),
        "unfinished store": (folder / "part.zarr", stored),
        "checkpoint": (folder / "part.zarr.checkpoint" / "0", of_checkpoint),
        "model": (folder / "model.safetensors", of_model),
        "complete store, xarray": (complete, by_xarray),
    }


def flip(path: Path, read: Callable[[Path], Any], flips: int, draw: random.Random, by_file: bool) -> list[int]:
    """Counts of reported, unchanged, other data."""
    truth, counts = read(path), [0, 0, 0]
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    weights = [1 if by_file else file.stat().st_size for file in files]
    for file in draw.choices(files, weights, k=flips):
        whole = file.read_bytes()
        damaged = bytearray(whole)
        damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        file.write_bytes(damaged)
        try:
            counts[1 if read(path) == truth else 2] += 1
        except Exception as error:
            if read is not by_xarray and not isinstance(error, KsdpError):
                raise
            counts[0] += 1
        file.write_bytes(whole)
    return counts


def main() -> None:
    options = parser(__doc__)
    options.add_argument("--flips", type=int, default=100)
    options.add_argument("--seed", type=int, default=0)
    arguments = options.parse_args()
    draw = random.Random(arguments.seed)
    table = Table("durability/bit-flips", ("", "places over", "reported", "unchanged", "other data"))
    with tempfile.TemporaryDirectory() as folder:
        for name, (path, read) in make(Path(folder)).items():
            ways = (False, True) if path.is_dir() else (False,)
            counts = zip(*(flip(path, read, arguments.flips, draw, by_file) for by_file in ways), strict=True)
            over = " / ".join("files" if by_file else "bytes" for by_file in ways)
            table.row(name, over, *(" / ".join(map(str, one)) for one in counts))
    if arguments.record:
        table.record()


if __name__ == "__main__":
    main()
