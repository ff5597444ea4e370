"""What all tests share: the flag for slow laws, and a headless Chromium with its graphics in software."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pytest

#: Graphics in software, no housekeeping over the network.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("there is no chromium on this machine (Debian: apt-get install chromium)")
    with sync_api.sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield started
        started.close()
