"""warm-up: compile in advance what a first run would compile, into the cache folder."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from ..base import compiling
from ..base.cache_folder import cache_folder
from ..kernels.base import dims_of
from ..plugins import registry
from .simulating import simulate

#: Few particles, but enough for each engine to use all its code.
PARTICLES, STEP = 3000, 1e-5
ENGINES: tuple[Literal["direct", "tree", "mesh"], ...] = ("direct", "tree", "mesh")


def warm_up(
    kernels: Sequence[str] = ("blob",),
    dims: Sequence[int] = (2, 3),
    dtypes: Sequence[Literal["float32", "float64"]] = ("float32",),
    tell: Callable[[str], None] | None = None,
) -> Path:
    """Compile the engines for kernels by name, dimensions and precisions; return the cache folder.

    Makes tiny runs in a temporary folder. Raises `ConfigError` for an unknown kernel.
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
                            J=PARTICLES,
                            dt=STEP,
                            T=STEP,
                            warn=lambda message: None,
                        )
                    if tell:
                        tell(f"{kernel}, {dim}D, {dtype}: compiled in {compiling.spent - before:.1f} s")
    return cache_folder()
