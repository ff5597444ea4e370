"""The examples in docstrings do what they say."""

from __future__ import annotations

import doctest
import importlib
import warnings

import pytest

MODULES = [
    "ksdp_cli",
    "ksdp_cli.plugin",
    "ksdp_cli.base.labels",
    "ksdp_cli.base.parsing",
    "ksdp_cli.exact.radial",
    "ksdp_cli.exact.second_moment",
    "ksdp_cli.metrics",
    "ksdp_cli.testing",
]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        failed, attempted = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert attempted > 0
    assert failed == 0
