"""``ksdp laws``."""

from __future__ import annotations

from typing import Annotated

import typer

from ..errors import NumericalError
from . import _options as o
from . import _render
from ._boundary import warn

SUMMARY = "Check a flow, a kernel and a chemistry by exact laws."
EXAMPLE = "Example: ksdp laws --flow laminar2d --A 50 --kernel plummer"


def register(app: typer.Typer) -> None:
    app.command(context_settings=o.BY_NAME, epilog=EXAMPLE, short_help=SUMMARY)(laws)


def laws(
    context: typer.Context,
    flow: Annotated[str | None, typer.Option(metavar="NAME", help="Flow. Default none.")] = None,
    kernel: Annotated[str | None, typer.Option(metavar="NAME", help="Kernel. Default blob.")] = None,
    chemistry: Annotated[str | None, typer.Option(metavar="NAME", help="Chemistry. Default elliptic.")] = None,
    as_json: o.Json = False,
) -> None:
    """Check a flow, a kernel and a chemistry, also your own, against the exact laws that hold for them.

    Their parameters, and --dim, --mu, --chi, --M, --delta2, --scheme, --seed, are options too. The exit code is 3 if a
    law is broken.
    """
    from ..config import SimulateConfig
    from ..laws import USED, check

    values = o.by_name(context.args, [*SimulateConfig.model_fields, "A"])
    if unused := [name for name in values if name in SimulateConfig.model_fields and name not in USED]:
        options = ", ".join(f"--{name.replace('_', '-')}" for name in unused)
        warn(f"no law uses {options}: each has particles, times and steps of its own")
    results = list(check({"flow": flow, "kernel": kernel, "chemistry": chemistry, **values}))
    rows = [
        [f.law, f.value, f.exact, f.error if f.error is not None else "", "" if f.exact else f.tolerance, f.verdict]
        for f in results
    ]
    document = {
        "laws": [
            {"law": f.law, "value": f.value, "exact": f.exact, "se": f.error, "tolerance": f.tolerance,
             "verdict": f.verdict}
            for f in results
        ]
    }  # fmt: skip
    _render.emit(document, as_json, ("", ["law", "value", "exact", "s.e.", "tolerance", "verdict"], rows))
    failures = [f.law for f in results if f.verdict == "broken"]
    if failures:
        raise NumericalError(f"broken: {'; '.join(failures)}", "ksdp_cli.testing.check_kernel and check_flow say more")
