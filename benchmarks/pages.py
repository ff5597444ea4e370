"""Render the tables of docs/results from their data, or check that pages and data agree.

    python benchmarks/pages.py [--check]

Between ``<!-- table PAGE/NAME -->`` and ``<!-- end -->`` a page holds benchmarks/results/PAGE/NAME.json.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PLACE = re.compile(r"(<!-- table (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> list[Path]:
    """Every page that may hold tables."""
    return sorted((ROOT / "docs" / "results").glob("*.md"))


def table(data: dict[str, Any]) -> str:
    """A recorded table as Markdown, with the place of its record below."""
    rows = [data["columns"], ["---"] * len(data["columns"]), *data["rows"]]
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    commit, date = data["recorded"]["commit"], data["recorded"]["date"]
    how = "An earlier measurement, copied from what was printed on" if data.get("copied") else "Recorded"
    return "\n".join([*lines, "", f"<small>{how} {date} at {commit}: {data['machine']}.</small>", ""])


def rendered(text: str) -> str:
    """The text of a page with every table as its data says. Raises `FileNotFoundError` for one without data."""

    def fill(place: re.Match[str]) -> str:
        data = json.loads((RESULTS / f"{place[2]}.json").read_text())
        return f"{place[1]}\n{table(data)}\n{place[3]}"

    return PLACE.sub(fill, text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    stale = [page for page in pages() if rendered(page.read_text()) != page.read_text()]
    for page in stale:
        if check:
            raise SystemExit(f"{page.relative_to(ROOT)} differs from its data: run `make results`")
        page.write_text(rendered(page.read_text()))
        print(page.relative_to(ROOT))


if __name__ == "__main__":
    main()
