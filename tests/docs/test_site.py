"""The documentation builds without a warning, its reference finds every name, and its formulas are drawn offline."""

from __future__ import annotations

import functools
import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
Violations = Callable[[Any], list[Any]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


def test_the_reference_finds_every_name(site: Path) -> None:
    page = (site / "reference" / "api" / "index.html").read_text()
    assert "ksdp_cli.api" in page
    for name in ("simulate", "train", "sample", "compare", "open_run"):
        assert name in page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_site_is_accessible(browser: Any, address: str, scheme: str, violations: Violations) -> None:
    """axe-core finds nothing on a page of each kind."""
    context = browser.new_context(color_scheme=scheme, reduced_motion="reduce")
    page = context.new_page()
    for place in ("", "guide/", "notebooks/first_steps/", "method/", "results/table2/", "reference/api/"):
        page.goto(f"{address}/{place}")
        page.wait_for_selector(".md-search[aria-label]", state="attached")
        assert violations(page) == [], place
    context.close()


def test_formulas_are_drawn_without_a_network(browser: Any, address: str) -> None:
    page = browser.new_page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/method/")
    page.wait_for_selector(".katex")
    formulas = page.locator(".arithmatex").count()
    assert formulas > 0
    assert page.locator(".katex").count() >= formulas
    assert page.locator(".katex-error").count() == 0
    assert not said
    assert all(url.startswith((address, "data:", "blob:")) for url in asked)
    page.close()
