"""Make a table of docs/results from the file NAME.json of `ksdp reproduce`.

    ksdp reproduce parabolic-joint --scale paper --seeds 5 -o runs/joint
    python benchmarks/reproduced.py chemistry/joint runs/joint/parabolic-joint.json --commit COMMIT --record

``--commit`` is the one that was checked out when the experiment ran. Several experiments, as of `ksdp reproduce
table2`, add columns for the paper's number and for the ratio of the excesses.
"""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

from harness import Table, parser, write

from ksdp_cli.base import labels

ROLES = {"validation": "inside", "prediction": "outside", "beyond": "beyond"}


def with_error(value: float, error: float | None) -> str:
    return f"{value:.4f} ± {error or 0.0:.4f}"


def distances(entry: dict[str, Any]) -> list[str]:
    """Ours, floor and excess."""
    return [with_error(entry[n], entry[e]) for n, e in (("ours", "ours_sd"), ("floor", "floor_sd"))] + [
        with_error(entry["excess"], entry["excess_se"])
    ]


def of_paper(entry: dict[str, Any]) -> tuple[str, str]:
    """The paper's number, and ours as a part of its excess."""
    if entry["paper"] is None:
        return "", ""
    part = entry["part_of_papers"]
    return f"{entry['paper']:.4f}", "paper < floor" if part is None else f"{part:.2f}"


def main() -> None:
    arguments = parser(__doc__)
    arguments.add_argument("table", help="PAGE/NAME")
    arguments.add_argument("result", type=Path)
    arguments.add_argument("--N", type=int, default=10_000)
    arguments.add_argument("--commit", required=True)
    options = arguments.parse_args()
    result = json.loads(options.result.read_text())
    entries = [entry for entry in result["table"] if entry["N"] == options.N]
    one = len({entry["experiment"] for entry in entries}) == 1
    place = list(entries[0]["at"]) if one else ["experiment", "at"]
    table = Table(
        options.table, [*place, "", *([] if one else ["paper"]), "ours", "floor", "excess", *([] if one else ["part"])]
    )
    for entry in entries:
        role, (paper, part) = ROLES[entry["role"]], of_paper(entry)
        if one:
            table.row(*(labels.number_text(value) for value in entry["at"].values()), role, *distances(entry))
        else:
            table.row(f"`{entry['experiment']}`", labels.label(entry["at"]), role, paper, *distances(entry), part)
    if options.record:
        day = datetime.date.fromtimestamp(options.result.stat().st_mtime).isoformat()
        command = f"ksdp reproduce {result['target']} --scale {result['scale']} --seeds {entries[0]['seeds']}"
        write(table.name, command, table.columns, table.rows, {"commit": options.commit, "date": day})


if __name__ == "__main__":
    main()
