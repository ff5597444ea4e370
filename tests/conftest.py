"""What all tests share: the flag for slow laws, the command line forked from one process, and a headless Chromium."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
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


def pytest_configure(config: pytest.Config) -> None:
    # Else each of the many processes that tests start compiles every module again: 0.1 s.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Else a thread of torch that waits for the next small loop spins, and takes the core of one that works.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if config.getoption("--slow"):
        os.environ["KSDP_SLOW_TESTS"] = "1"  # for workers, which do not see the command line


#: Files that take longest, in this order: begun first, so that no worker is left with one of them at the end.
LONG = (
    *("test_readme", "test_sweep", "test_tree_gpu", "test_run_faults", "test_step_gpu", "test_site", "test_browser"),
    *("test_reproduce", "test_store_faults", "test_store_damage", "test_examples", "test_cards", "test_direct_gpu"),
    *(
        "test_step_gpu_compiled",
        "test_readme_files",
        "test_world",
        "test_notebooks",
        "test_trainer",
        "test_descent",
        "test_outputs",
    ),
    *(
        "test_compare",
        "test_processes",
        "test_new_plugin",
        "test_network_gpu",
        "test_laws",
        "test_sass",
        "test_cache_race",
        "test_nested",
    ),
    *("test_parabolic", "test_wrong_commands", "test_what_is_asked"),
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    place = {name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path.stem, len(LONG)))
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


@pytest.fixture(scope="session")
def violations() -> Callable[[Any], list[Any]]:
    """``violations(page)`` is what axe-core, from the package axe_playwright_python, finds on an open page."""
    axe = pytest.importorskip("axe_playwright_python", reason="the package axe-playwright-python is not installed")
    source = (resources.files(axe) / "axe.min.js").read_text(encoding="utf-8")
    told = "found => [found.id, found.nodes.length, found.nodes[0].html.slice(0, 200)]"

    def of(page: Any) -> list[Any]:
        page.add_script_tag(content=source)
        return list(page.evaluate(f"async () => (await axe.run()).violations.map({told})"))

    return of


PROGRAM = "import sys; from ksdp_cli.cli.app import main; sys.argv[0] = 'ksdp'; main()"
Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def server() -> Iterator[subprocess.Popen[str]]:
    """`forked_server.py`, started once for a worker."""
    program = (Path(__file__).parent / "forked_server.py").read_text(encoding="utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture(scope="session")
def command(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """``command("simulate", "--J", "100", cwd=folder, NAME="value")``: a process forked after the imports.

    Started anew where a fork after the imports is not safe (macOS).
    """
    if sys.platform != "linux":
        return _started
    server, files = request.getfixturevalue("server"), tmp_path_factory.mktemp("said")
    numbers = itertools.count()

    def run(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
        said = files / f"{next(numbers)}"
        asked = {"arguments": arguments, "folder": str(cwd), "files": str(said), "env": environment, "hooks": {}}
        server.stdin.write(json.dumps(asked) + "\n")
        server.stdin.flush()
        code = int(server.stdout.readline())
        out, err = (said.with_suffix(ending).read_bytes().decode() for ending in (".out", ".err"))
        return subprocess.CompletedProcess(arguments, code, out, err)

    return run


def _started(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command, env = [sys.executable, "-c", PROGRAM, *arguments], os.environ | environment
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, timeout=300)
