"""Everything that needs a GPU, in one call of five minutes: correctness first, then figures beside their goals.

    python benchmarks/gpu.py [--only SECTION[,SECTION]] [--budget SECONDS] [--out FILE]
    python benchmarks/gpu.py --smoke

A row is printed as soon as it is known. A section that fails, or for which the budget is too small, says so, and the
others go on. The JSON (`--out`, or gpu.json in the folder that the environment variable OUT names) is rewritten after
every section. Leaves with 0 when every check holds, 1 when one does not or something failed, 5 without a GPU; a goal
that is missed is no failure. `--smoke` runs all of it on the CPU, tiny, through Triton's interpreter: its checks hold
or fail as on a card, its times say nothing.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smoke", action="store_true", help="on the CPU, tiny, through Triton's interpreter")
    parser.add_argument("--only", default="", metavar="SECTION[,SECTION]", help="these sections alone")
    parser.add_argument("--budget", type=float, default=300.0, metavar="SECONDS", help="no section begins beyond it")
    parser.add_argument("--out", type=Path, metavar="FILE", help="JSON of all rows")
    asked = parser.parse_args()
    faulthandler.enable()
    facts: dict[str, Any] = {}
    if asked.smoke:
        os.environ["TRITON_INTERPRET"] = "1"  # before Triton is imported
    else:
        from ksdp_cli.base.device import choose, describe
        from ksdp_cli.errors import ResourceError

        try:
            choose("cuda")
        except ResourceError as error:
            print(f"no GPU figures: {error}", file=sys.stderr)
            return error.exit_code
        facts["card"] = describe("cuda")
    out = asked.out or (Path(os.environ["OUT"]) / "gpu.json" if os.environ.get("OUT") else None)

    from gpu_sections import SECTIONS
    from gpu_sections.harness import Bench

    only = [name for name in asked.only.split(",") if name]
    unknown = set(only) - {section.name for section in SECTIONS}
    if unknown:
        parser.error(f"no section {', '.join(sorted(unknown))}: there are {', '.join(s.name for s in SECTIONS)}")
    return Bench(smoke=asked.smoke, budget=asked.budget, out=out, facts=facts).run(SECTIONS, only)


if __name__ == "__main__":
    sys.exit(main())
