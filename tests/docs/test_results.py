"""The tables of the results are those of the recorded data, each on a page, each with its command and commit."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location("pages", ROOT / "benchmarks" / "pages.py")
assert SPEC is not None
assert SPEC.loader is not None
PAGES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(PAGES)
COPIED = 8
TABLES = sorted(path for path in PAGES.RESULTS.rglob("*.json") if "rows-as-printed" not in path.name)


@pytest.mark.parametrize("page", PAGES.pages(), ids=lambda page: page.name)
def test_a_page_agrees_with_its_data(page: Path) -> None:
    assert PAGES.rendered(page.read_text()) == page.read_text(), "run make results"


def test_a_changed_figure_is_noticed() -> None:
    page = (ROOT / "docs" / "results" / "engine.md").read_text()
    changed = re.sub(r"(?m)^(\| 2D blob \| \d+)", r"\g<1>0", page)
    assert changed != page
    assert PAGES.rendered(changed) == page


@pytest.mark.parametrize("path", TABLES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_table_is_shown_and_says_where_it_is_from(path: Path) -> None:
    name = path.relative_to(PAGES.RESULTS).with_suffix("").as_posix()
    assert sum(f"<!-- table {name} -->" in page.read_text() for page in PAGES.pages()) == 1
    data = json.loads(path.read_text())
    assert all(len(row) == len(data["columns"]) for row in data["rows"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", data["recorded"]["date"])
    assert data["recorded"]["commit"]
    assert data["machine"]
    program = re.search(r"benchmarks/(\w+\.py)", data["command"])
    assert program is None or (ROOT / "benchmarks" / program[1]).exists()
    if not data.get("copied"):  # then a script wrote it: the one of the command, or that of what was reproduced
        writer = (ROOT / "benchmarks" / (program[1] if program else "reproduced.py")).read_text()
        assert re.search(r"\brecord\(\)|\bwrite\(", writer)
        assert f'"{path.parent.name}/' in writer or not program
        assert re.match(r"\d+ cores, .+, Python 3\.\d+\.\d+", data["machine"])


@pytest.mark.parametrize("page", sorted((ROOT / "docs" / "decisions").glob("0*.md")), ids=lambda page: page.name)
def test_a_table_of_a_decision_is_dated_history(page: Path) -> None:
    for rest in re.split(r"\n *\|(?: *---+ *\|)+\n", page.read_text())[1:]:
        below = rest.partition("\n\n")[2]
        assert re.match(r" *<small>History: as printed on \d{4}-\d\d-\d\d at [0-9a-f]+\b", below), rest


def test_copied_tables_become_fewer() -> None:
    """Rows that were copied from what a command had printed, before `Table` recorded them; none may be added."""
    assert sum("copied" in json.loads(path.read_text()) for path in TABLES) <= COPIED
