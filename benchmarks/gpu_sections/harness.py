"""Rows, sections and clocks: what is known is printed and written at once, and no section can take others with it."""

from __future__ import annotations

import json
import math
import os
import statistics
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: What a row says: a check that holds or not, a figure beside its goal, or a fact.
BAD = ("FAILS", "ERROR")


@dataclass(frozen=True)
class Section:
    """A part of the benchmark; ``seconds`` is what it is expected to take on a card, with cold caches."""

    name: str
    run: Callable[[Bench], None]
    seconds: float


@dataclass
class Bench:
    """What every section gets: where tensors live, sizes, and how to report.

    With ``smoke`` the tensors are the CPU's, the sizes tiny and the programs run in Triton's interpreter: timings mean
    nothing then, and are told as ``smoke``.
    """

    smoke: bool = False
    budget: float = 300.0
    out: Path | None = None
    began: float = field(default_factory=time.monotonic)
    rows: list[dict[str, Any]] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)
    section: str = ""

    @property
    def device(self) -> str:
        return "cpu" if self.smoke else "cuda"

    def size(self, real: int, smoke: int) -> int:
        return smoke if self.smoke else real

    def left(self) -> float:
        """Seconds of the budget that are left."""
        return self.budget - (time.monotonic() - self.began)

    def check(self, what: str, value: float, bound: float, note: str = "", also: bool = True) -> None:
        """A law: ``value`` at most ``bound``, and ``also``."""
        holds = bool(value <= bound) and also
        self._row(what, value, f"<= {bound:g}", "holds" if holds else "FAILS", note)

    def goal(self, what: str, value: float, unit: str, goal: float | None = None, note: str = "", least: bool = False):
        """A figure beside its goal: at most that, or with ``least`` at least."""
        if goal is None:
            self._row(what, value, "", "told", note, unit)
            return
        met = value >= goal if least else value <= goal
        verdict = "smoke" if self.smoke else "met" if met else "MISSED"
        self._row(what, value, f"{'>=' if least else '<='} {goal:g}", verdict, note, unit)

    def tell(self, what: str, note: str) -> None:
        """A fact without a number, or why something was left out."""
        self._row(what, None, "", "told", note)

    def row_guard(self, what: str, body: Callable[[], None]) -> None:
        """Run one row's work, so that an error of its own loses that row alone."""
        try:
            body()
        except Exception as error:
            traceback.print_exc()
            self._row(what, None, "", "ERROR", f"{type(error).__name__}: {error}"[:400])

    def run(self, sections: list[Section], only: list[str]) -> int:
        """Run the sections in order; the exit code: 0 where all checks hold, else 1."""
        for section in sections:
            if only and section.name not in only:
                continue
            self.section = section.name
            if section.seconds > self.left() and not self.smoke:
                told = f"{section.seconds:.0f} s expected, {self.left():.0f} s of {self.budget:.0f} left"
                self._row(section.name, None, "", "skipped", told)
                continue
            began = time.monotonic()
            self.row_guard(section.name, lambda s=section: s.run(self))  # type: ignore[misc]
            print(f"-- {section.name}: {time.monotonic() - began:.1f} s, {self.left():.0f} s left", flush=True)
            self.save()
        self._summary()
        self.save()
        return 1 if any(row["verdict"] in BAD for row in self.rows) else 0

    def seconds(self, call: Callable[[], Any], repeats: int = 7, longest: float = 1.5) -> float:
        """Median time of a call, by the device's own events; the first call is left out, and no more than about
        ``longest`` seconds are spent."""
        call()
        clock = _clock if self.smoke else _events
        times: list[float] = []
        while len(times) < (1 if self.smoke else repeats) and (not times or sum(times) < longest):
            times.append(clock(call))
        return statistics.median(times)

    def save(self) -> None:
        """Rewrite the JSON, whole or not at all."""
        if self.out is None:
            return
        text = json.dumps({"facts": self.facts, "smoke": self.smoke, "rows": self.rows}, indent=1, default=str)
        temporary = self.out.with_name(self.out.name + ".tmp")
        temporary.write_text(text + "\n", encoding="utf-8")
        os.replace(temporary, self.out)

    def _row(self, what: str, value: float | None, goal: str, verdict: str, note: str, unit: str = "") -> None:
        number = None if value is None or not math.isfinite(value) else float(value)
        shown = "" if value is None else f"{value:.4g} {unit}".rstrip()
        self.rows.append(
            {"section": self.section, "what": what, "value": number, "unit": unit, "goal": goal}
            | {"verdict": verdict, "note": note, "at": round(time.monotonic() - self.began, 1)}
        )
        print(f"{verdict:7} {what:52} {shown:16} {goal:12} {note}".rstrip(), flush=True)

    def _summary(self) -> None:
        counts: dict[str, int] = {}
        for row in self.rows:
            counts[row["verdict"]] = counts.get(row["verdict"], 0) + 1
        print(f"== {self.facts.get('card', 'smoke')}: " + ", ".join(f"{n} {v}" for v, n in counts.items()), flush=True)
        for row in self.rows:
            if row["verdict"] in (*BAD, "MISSED", "skipped"):
                value = "" if row["value"] is None else f"{row['value']:.4g} {row['unit']}"
                print(f"   {row['verdict']:7} {row['what']}: {value} {row['goal']} {row['note']}"[:200], flush=True)


def _events(call: Callable[[], Any]) -> float:
    import torch

    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    begin.record()
    call()
    end.record()
    end.synchronize()
    return float(begin.elapsed_time(end)) / 1e3


def _clock(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
