"""Pages made once, and a headless Chromium that opens them, with its graphics in software."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import ksdp_cli as ksdp
from ksdp_cli.views.report.reporting import report

SIMULATED = {"J": 500, "T": 0.02, "dt": 1e-3}


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("report")


@pytest.fixture(scope="session")
def flat_run(folder: Path) -> Path:
    """Two amplitudes and three snapshots in 2D."""
    options = SIMULATED | {"flow": "laminar2d", "A": "10,100", "snapshots": "0,0.01,0.02"}
    return ksdp.simulate(out=folder / "flat.zarr", **options).path


@pytest.fixture(scope="session")
def deep_run(folder: Path) -> Path:
    """Two amplitudes and one snapshot in 3D."""
    return ksdp.simulate(out=folder / "deep.zarr", flow="kolmogorov", A="10,100", **SIMULATED).path


@pytest.fixture(scope="session")
def make(folder: Path) -> Callable[..., Path]:
    """``make(subject, name, *references)`` writes a page and returns its path."""

    def made(subject: Path | str, name: str, *references: Path) -> Path:
        return report(subject, out=folder / f"{name}.html", references=references).path

    return made


@pytest.fixture(scope="session")
def pages(make: Callable[..., Path], flat_run: Path, deep_run: Path) -> dict[str, Path]:
    return {
        "model 2D": make("laminar2d-amplitude", "model-2d", flat_run),
        "model 3D": make("kolmogorov-amplitude", "model-3d", deep_run),
        "run 2D": make(flat_run, "run-2d"),
        "run 3D": make(deep_run, "run-3d"),
    }


@pytest.fixture(scope="session")
def page_of(pages: dict[str, Path], make: Callable[..., Path]) -> Callable[[str], Path]:
    """The page of a model that ships."""
    made = {"laminar2d-amplitude": pages["model 2D"], "kolmogorov-amplitude": pages["model 3D"]}
    return lambda name: made[name] if name in made else make(name, name)


@dataclass
class Opened:
    """An open page, and all that it said or asked for."""

    page: Any
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def tell(self, script: str, argument: Any = None) -> Any:
        return self.page.evaluate(script, argument)

    def wait(self, condition: str) -> None:
        """Wait until a function is true: the page's policy forbids the eval by which Playwright asks a second time."""
        until = time.monotonic() + 300
        while not self.tell(condition):
            assert time.monotonic() < until, f"{condition} does not come true"
            time.sleep(0.02)

    def few(self, n: int = 2000) -> None:
        """Wait for the first picture, then go on with few particles: graphics in software are slow."""
        self.wait("() => document.documentElement.dataset.drawn === 'yes'")
        self.tell("async (n) => { if (ksdp.network) ksdp.resize(n); await ksdp.ready(); }", n)

    def positions(self) -> list[float]:
        return self.tell("async () => { await ksdp.ready(); return Array.from(ksdp.positions()); }")

    def picture(self, number: int = 0) -> bytes:
        """The pane as one sees it, as a PNG, once it has come to rest."""
        self.tell("async () => { await ksdp.ready(); await new Promise(requestAnimationFrame); }")
        return self.page.locator("canvas").nth(number).screenshot()


@pytest.fixture
def visit(browser: Any) -> Iterator[Callable[..., Opened]]:
    """``visit(path)`` opens a page in a profile of its own; ``before`` is a script that runs first."""
    contexts = []

    def opened(path: Path, before: str = "", **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": 700, "height": 700}, **options)
        contexts.append(context)
        context.set_default_timeout(120_000)
        if before:
            context.add_init_script(before)
        found = Opened(context.new_page())
        found.page.on("console", lambda message: found.said.append(f"{message.type}: {message.text}"))
        found.page.on("pageerror", lambda error: found.said.append(f"error: {error}"))
        found.page.on("dialog", lambda dialog: (found.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        found.page.on("request", lambda request: found.asked.append(request.url))
        found.page.goto(path.resolve().as_uri())
        return found

    yield opened
    for context in contexts:
        context.close()
