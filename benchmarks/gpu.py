"""Check and measure everything that needs a GPU, in five minutes: correctness first, then figures beside their goals.

    python benchmarks/gpu.py [--only SECTION[,SECTION]] [--budget SECONDS] [--out FILE]
    python benchmarks/gpu.py --smoke

Prints each row at once. A section that fails or exceeds the budget reports it, and the others continue. Rewrites the
JSON (`--out`, or gpu.json in the folder of the environment variable OUT) after every section. Exit code 0 if every
check holds, 1 if a check or a section fails, 5 without a GPU; a missed goal is no failure. `--smoke` runs tiny sizes on
the CPU through Triton's interpreter: its checks count, its times do not.
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
