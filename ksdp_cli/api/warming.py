"""warm-up: compile in advance what a first run would compile, into the cache folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from ..base import compiling
from ..base.cache_folder import cache_folder
from ..base.listener import discard
from ..kernels.base import dims_of
from ..plugins import registry
from .comparing import compare
from .sampling import sample
from .simulating import simulate
from .training import train

#: Few particles, but enough for each engine to use all its code.
PARTICLES, STEP = 3000, 1e-5
ENGINES: tuple[Literal["direct", "tree", "mesh"], ...] = ("direct", "tree", "mesh")


def warm_up(
    kernels: Sequence[str] = ("blob",),
    dims: Sequence[int] = (2, 3),
    dtypes: Sequence[Literal["float32", "float64"]] = ("float32",),
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Compile the engines for kernels by name, dimensions and precisions, then networks and distances; return the
    cache folder.

    Makes tiny runs in a temporary folder. Leaves out a chemical with a memory. Raises `ConfigError` for an unknown
    kernel.
    """
    with tempfile.TemporaryDirectory() as folder:
        for kernel in kernels:
            have = dims_of(registry().find("kernel", kernel).load())
            for dim in (d for d in dims if d in have):
                for dtype in dtypes:
                    before = compiling.spent
                    engines = ENGINES if dim == 2 else ENGINES[:2]
                    for engine in engines:
                        simulate(
                            out=Path(folder) / f"{kernel}-{dim}-{dtype}-{engine}.zarr",
                            kernel=kernel,
                            dim=dim,
                            dtype=dtype,
                            engine=engine,
                            store_field=8 if engine == "direct" else 0,
                            J=PARTICLES,
                            dt=STEP,
                            T=STEP,
                            warn=discard,
                        )
                    if tell:
                        tell(f"{kernel}, {dim}D, {dtype}: compiled in {compiling.spent - before:.1f} s")
        before = compiling.spent
        _network(Path(folder), kernels[0])
        if tell:
            tell(f"networks and distances: compiled in {compiling.spent - before:.1f} s")
    return cache_folder()


def _network(folder: Path, kernel: str) -> None:
    """Train, sample and compare, in every dimension of ``kernel``."""
    for dim in dims_of(registry().find("kernel", kernel).load()):
        data = folder / f"data-{dim}.zarr"
        run = simulate(kernel=kernel, dim=dim, mu=[1.0, 2.0], J=600, dt=STEP, T=STEP, out=data, warn=discard)
        training = train(run, N=200, steps=60, validate_every=60, out=folder / f"network-{dim}.safetensors")
        cloud = sample(training.path, n=600, mu=1.0, out=folder / f"cloud-{dim}.zarr", warn=discard)
        compare(cloud, run, floor="halves", mu=1.0, N=100)
