"""The name that was meant."""

from __future__ import annotations

import pytest

from ksdp_cli.base.spelling import nearest


@pytest.mark.parametrize(
    ("name", "names", "meant"),
    [
        ("T", ["T", "t"], "T"),
        ("--t", ["--T", "--t"], "--t"),
        ("N", ["n"], "n"),
        ("LR", ["learning_rate", "steps"], "learning_rate"),
        ("ksdp:laminar2dd", ["laminar2d", "ksdp:laminar2d"], "ksdp:laminar2d"),
        ("weight", ["steps"], None),
    ],
)
def test_nearest(name: str, names: list[str], meant: str | None) -> None:
    assert nearest(name, names) == meant
