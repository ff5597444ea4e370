"""The GPU benchmark without a card: its checks through the interpreter; a section that fails takes no other along."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
#: Sections whose rows are checks of programs, in the order in which they are run.
CHECKED = ("correctness", "noise", "steps", "network")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / "gpu.py"), *arguments]
    return subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="triton is not installed")
def test_all_checks_hold_without_a_card(tmp_path: Path) -> None:
    done = run("--smoke", "--only", ",".join(("device", *CHECKED, "pairs", "peers")), OUT=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((tmp_path / "gpu.json").read_text())["rows"]
    verdicts = {row["verdict"] for row in rows}
    assert "holds" in verdicts
    assert verdicts <= {"holds", "told", "smoke"}
    held = [row for row in rows if row["verdict"] == "holds"]
    assert len(held) > 40
    assert {row["section"] for row in held} == set(CHECKED)
    kernels = {row["what"].split()[1] for row in held if row["section"] == "correctness"}
    assert {"blob", "eq7", "gaussian", "plummer", "coulomb", "stranger"} <= kernels
    assert not list(tmp_path.glob("*.tmp"))


def test_a_section_that_fails_is_told_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    from gpu_sections.harness import Bench, Section

    def broken(bench: Bench) -> None:
        bench.check("before", 0.0, 1.0)
        raise ZeroDivisionError("on purpose")

    out = tmp_path / "a.json"
    seen: list[int] = []

    def after(bench: Bench) -> None:
        seen.append(len(json.loads(out.read_text())["rows"]))  # what was known is on the disk
        bench.check("after", 2.0, 1.0, "note")
        bench.check("not a number", float("nan"), 1.0)

    def fine(bench: Bench) -> None:
        bench.check("fine", 1.0, 1.0)

    sections = [
        Section("broken", broken, 1),
        Section("after", after, 1),
        Section("dear", fine, 100),
        Section("x", fine, 1),
    ]
    bench = Bench(budget=50.0, out=out)
    assert bench.run(sections, []) == 1
    verdicts = [(row["what"], row["verdict"]) for row in json.loads(out.read_text())["rows"]]
    assert verdicts == [
        ("before", "holds"),
        ("broken", "ERROR"),
        ("after", "FAILS"),
        ("not a number", "FAILS"),
        ("dear", "skipped"),
        ("fine", "holds"),
    ]
    assert seen == [2]
    said = capsys.readouterr()
    assert "ZeroDivisionError: on purpose" in said.out
    assert "Traceback" in said.err
    assert "100 s expected" in said.out
    assert Bench(out=out).run(sections[3:], []) == 0
    assert Bench(out=out).run(sections, ["x"]) == 0


def test_without_a_gpu_it_leaves_with_one_line() -> None:
    from ksdp_cli.base.device import choose

    if choose("auto") == "cuda":
        pytest.skip("there is a GPU")
    done = run()
    assert done.returncode == 5
    assert done.stderr.startswith("no GPU figures: device 'cuda' cannot be used")
    assert done.stderr.count("\n") == 1
    assert run("--smoke", "--only", "nothing").returncode == 2
