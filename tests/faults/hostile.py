"""A fuzzer of files: one entry replaced by something of another type or size, dropped or added.

Every answer must be a `KsdpError` or the numbers that were written, within 5 s of a core, whatever else the machine
does, and without memory of the size that the file claims.
"""

from __future__ import annotations

import contextlib
import copy
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from ksdp_cli.errors import KsdpError

#: Of each of the six kinds.
CI, SLOW = 50, 1000
#: Seconds of processor time, and of the clock, which a loaded machine stretches and an endless wait passes; bytes.
LONGEST, ENDLESS, LARGEST = 5.0, 60.0, 1 << 30
DEEP: Any = []
for _ in range(200):
    DEEP = [DEEP]
#: What takes the place of an entry.
NUMBERS = [0, -1, 1, 2, 3, 7, 10**6, 10**12, 2**63, 10**400, 0.0, -0.5, 1.5, 1e-300, 1e300, float("nan"), float("inf")]
TEXTS = ["", "x", "1", "../x", "os:system", "\ud800", "\x1b[31m", "\0", "a" * 10_000, "</script>"]
NESTED = [[], [[]], [None], [0], [1.0, 2.0], ["x"], [float("nan")], {}, {"x": 1}, {"": None}, {"A": [1.0]}, DEEP]
HOSTILE = st.sampled_from([None, True, False, *NUMBERS, *TEXTS, *NESTED])
PLACES = st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=5)
WAYS = st.sampled_from(["replace", "replace", "replace", "drop", "add"])


def mutated(document: Any, places: list[float], way: str, value: Any) -> Any:
    """``document`` with one entry changed, which ``places`` choose on the way down."""
    document = copy.deepcopy(document)
    at = document
    for place in places:
        keys = list(at) if isinstance(at, dict) else list(range(len(at)))
        if not keys:
            break
        key = keys[int(place * len(keys))]
        if place is places[-1] or not isinstance(at[key], (dict, list)) or not at[key]:
            if way == "drop":
                del at[key]
            elif way == "add" and isinstance(at, dict):
                at["added"] = value
            else:
                at[key] = value
            break
        at = at[key]
    return document


def fuzz(part: float = 1.0) -> Any:
    """``part`` of the mutations of a kind: 270 in all, and 5400 where slow tests run; always the same ones."""
    return settings(
        max_examples=round(part * (SLOW if "KSDP_SLOW_TESTS" in os.environ else CI)),
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )


def peak() -> int:
    """Bytes that this process has held at most, as far as the system tells."""
    resource = pytest.importorskip("resource")
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def answered(question: Callable[[], Any]) -> Any:
    """The answer, or None after an error of ours; neither late nor with memory that only the file claims."""
    began, worked, before = time.monotonic(), time.process_time(), peak()
    found = None
    with contextlib.suppress(KsdpError):
        found = question()
    assert time.process_time() - worked < LONGEST
    assert time.monotonic() - began < ENDLESS
    assert peak() - before < LARGEST
    return found
