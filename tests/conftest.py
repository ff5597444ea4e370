"""What all tests share: the flag for slow laws."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="also run the laws and reproductions that take long")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--slow"):
        for item in items:
            if "slow" in item.keywords:
                item.add_marker(pytest.mark.skip(reason="slow: --slow runs it"))
    if reason := no_interpreter():
        for item in items:
            if "interpreter" in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))


def no_interpreter() -> str:
    """Why GPU programs cannot be run on CPU tensors here, or nothing."""
    try:
        triton, numpy = (tuple(int(n) for n in version(name).split(".")[:2]) for name in ("triton", "numpy"))
    except PackageNotFoundError:
        return "triton is not installed: pip install 'ksdp[gpu]'"
    if triton < (3, 9) and numpy >= (2, 4):  # "only 0-dimensional arrays can be converted to Python scalars"
        return "the interpreter of triton before 3.9 fails with numpy 2.4 and later"
    return ""
