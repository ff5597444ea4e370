"""``ksdp warm-up``."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from ..base.parsing import integer
from ..errors import ConfigError
from . import _options as o
from . import _render
from ._boundary import say

SUMMARY = "Compile in advance what a first run needs."
EXAMPLE = "Example: ksdp warm-up --kernel blob,plummer --dim 3"

TYPES: dict[str, Literal["float32", "float64"]] = {"float32": "float32", "float64": "float64"}


def register(app: typer.Typer) -> None:
    app.command("warm-up", epilog=EXAMPLE, short_help=SUMMARY)(warm_up)


def warm_up(
    kernel: Annotated[str, typer.Option(metavar="NAMES", help="Kernels. Default blob.", show_default=False)] = "blob",
    dim: Annotated[str, typer.Option(metavar="2|3|2,3", help="Dimensions. Default 2,3.", show_default=False)] = "2,3",
    dtype: Annotated[
        str, typer.Option(metavar="NAMES", help="float32, float64 or both. Default float32.", show_default=False)
    ] = "float32",
    as_json: o.Json = False,
) -> None:
    """Compile in advance what a first run would compile, into KSDP_CACHE_DIR or the user's cache folder.

    For container images and read-only installations: later runs read the folder even if they cannot write to it.
    Compiled code is specific to the type of processor; another type compiles it again.
    """
    from ..api.warming import warm_up as warm

    dims = [integer(word) for word in dim.split(",")]
    wrong = [word for word in dtype.split(",") if word not in TYPES]
    if wrong:
        raise ConfigError(f"--dtype {wrong[0]}", "use float32, float64 or float32,float64")
    if not {2, 3}.issuperset(dims):
        raise ConfigError(f"--dim {dim}", "use 2, 3 or 2,3")
    folder = warm(kernel.split(","), dims, [TYPES[word] for word in dtype.split(",")], say)
    files = sum(1 for _ in folder.glob("*.nbc"))
    _render.emit({"folder": str(folder), "functions": files}, as_json, ("", ["", ""], [["compiled functions", files]]))
    if not as_json:
        print(f"  in {folder}")
