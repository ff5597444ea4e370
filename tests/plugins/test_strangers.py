"""One file of a stranger's each makes a flow, kernel, law, scheme, chemistry, metric and solver work by name; a network
form, an optimiser and an export format are one entry of their table."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from ksdp_cli import simulate
from ksdp_cli.api.exporting import export
from ksdp_cli.base.arrays import Array
from ksdp_cli.config import TrainConfig, build
from ksdp_cli.exporters import formats
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.data import TrainingData
from ksdp_cli.learning.network.forms import FORMS, Form
from ksdp_cli.learning.network.network import Network
from ksdp_cli.learning.optimisers.base import OPTIMISERS
from ksdp_cli.learning.trainer import train
from ksdp_cli.registry import HOOK_OF_KIND
from tests.plugins.conftest import Site

#: Largest number of lines of a file.
MOST = 25
#: Each text is a whole package: the class and, by ``hook`` below, its manifest.
STRANGERS = {
    "flow": """
from ksdp_cli.plugin import Params, namespace
class Mine:
    dims, Params = (2,), Params
    def __init__(self, params, dim): pass
    def velocity(self, x, t):
        return namespace(x).stack([-x[:, 1], x[:, 0]], 1)
""",
    "kernel": """
import math
from ksdp_cli.plugin import Params
class Mine:
    Params = Params
    @staticmethod
    def g2d(r2, delta2):
        return 0.5 / (math.pi * (r2 + 2.0 * delta2))
""",
    "initial cloud": """
from ksdp_cli.plugin import rng
class Mine:
    dims = (2,)
    def draw(self, n, dim, seed, start=0, stream=0):
        return rng.normals(seed, stream, 0, start, n, dim, "float32")
""",
    "scheme": """
class Mine:
    order, evaluations = 1, 1
    def step(self, x, t, dt, drift, noise):
        return x + dt * drift(x, t) + noise
""",
    "chemistry": """
from ksdp_cli.plugin import Params
class Mine:
    dims, Params, kernel, memory, engine = (2,), Params, "blob", False, None
    def __init__(self, params, facts): pass
    def start(self, x): return {}
    def advance(self, state, x, dt): return state
    def gradient(self, state, x, scale=1.0): return -scale * x
    def report(self, state): return {"engine": "trap"}
""",
    "metric": """
from ksdp_cli.plugin import Distance, Transport
class Mine(Distance):
    title = "distance of the means"
    def transport(self, x, y):
        return Transport(float(((x.mean(0) - y.mean(0)) ** 2).sum()))
""",
    "transition solver": """
from ksdp_cli.plugin import Matching, matching_value
class Mine:
    exact, devices = False, ("cpu",)
    def __init__(self, seed=0): pass
    def solve(self, x, y, start=None):
        return Matching(start, matching_value(x, y, start), "kept")
""",
}
FAULTY = """
import numpy as np
from ksdp_cli.plugin import Component, Distance, Matching, hookimpl
class Solver:
    exact, devices = False, ("cpu",)
    def __init__(self, seed=0): pass
    def solve(self, x, y, start=None):
        return Matching(np.zeros_like(start), np.zeros(len(x)), "wrong")
class Metric(Distance):
    title = "metric"
    def transport(self, x, y):
        return undefined
@hookimpl
def ksdp_transition_solvers():
    return [Component("faulty", "stranger_faulty:Solver", "returns no permutation")]
@hookimpl
def ksdp_metrics():
    return [Component("faulty", "stranger_faulty:Metric", "fails")]
"""


def hook(kind: str, module: str) -> str:
    """The manifest that stands in the same file."""
    return (
        "\nfrom ksdp_cli.plugin import Component, hookimpl\n@hookimpl\n"
        f"def {HOOK_OF_KIND[kind]}():\n    return [Component('mine', '{module}:Mine', 'of a stranger')]\n"
    )


@pytest.fixture(scope="module")
def site(make_site: Callable[[], Site]) -> Site:
    site = make_site()
    for kind, text in STRANGERS.items():
        name = f"stranger-{kind.replace(' ', '-')}"
        site.add(name, text + hook(kind, name.replace("-", "_")))
    site.add("stranger-faulty", FAULTY)
    return site


def test_each_stranger_is_one_short_file() -> None:
    assert {*STRANGERS} | {"executor"} == {*HOOK_OF_KIND}  # an executor of a stranger: test_guide
    for kind, text in STRANGERS.items():
        assert len((text + hook(kind, "module")).strip().splitlines()) <= MOST


def test_strangers_simulate_compare_and_train(site: Site) -> None:
    common = ("--flow", "mine", "--kernel", "mine", "--init", "mine", "--scheme", "mine", "--J", "60", "--dt", "1e-3")
    for words in (
        ("simulate", *common, "--T", "2e-3", "-o", "a.zarr"),
        ("simulate", *common[:2], *common[4:], "--chemistry", "mine", "--snapshots", "0:2e-3:3", "-o", "b.zarr"),
        ("train", "b.zarr", "--solver", "mine", "--N", "20", "--steps", "4", "-o", "b.safetensors"),
    ):
        done = site.ksdp(*words)
        assert done.returncode == 0, done.stderr
    done = site.ksdp("compare", "a.zarr", "b.zarr", "--t", "2e-3", "--metrics", "mine", "--json")
    assert done.returncode == 0, done.stderr
    assert "mine" in json.loads(done.stdout)
    done = site.ksdp("compare", "a.zarr", "b.zarr", "--t", "2e-3", "--metrics", "faulty")
    assert done.returncode == 2
    assert "ksdp: error: NameError in line 12 of " in done.stderr
    assert "stranger_faulty" in done.stderr
    done = site.ksdp("train", "b.zarr", "--solver", "faulty", "--N", "20", "--steps", "4", "-o", "c.safetensors")
    assert done.returncode == 2
    assert "solver 'faulty' returned rows that are not permutations" in done.stderr


class Descent:
    """Plain gradient descent."""

    def __init__(self, network: Network, theta: Array) -> None:
        self.count = np.zeros(1)

    def update(self, theta: Array, gradient: Array, step: int, size: float) -> None:
        self.move(theta, gradient, self.scalars(step, size))

    def scalars(self, step: int, size: float) -> tuple[float, ...]:
        return (size,)

    def move(self, theta: Array, gradient: Array, scalars: Array) -> None:
        theta -= scalars[0] * gradient
        self.count += 1

    def update_basis(self, step: int) -> None:
        pass

    def state(self) -> dict[str, object]:
        return {"count": self.count}


def test_a_form_and_an_optimiser_are_one_entry_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        FORMS, "quadratic", Form(lambda log: ((("mapped", 0),), (("curved", 0),)), residual=True, most=1)
    )
    monkeypatch.setitem(OPTIMISERS, "descent", Descent)
    x = Ball().draw(100, 2, 0)
    clouds = np.stack([x, 2 * x]).astype(np.float32)
    data = TrainingData(clouds, np.array([[1.0], [2.0]]), ("A",), lambda n, stream: Ball().draw(n, 2, 0, stream=stream))
    options = {"network": "quadratic", "optimiser": "descent", "N": 20, "steps": 20, "learning_rate": 0.05}
    trained = train(data, build(TrainConfig, options))
    assert trained.model.network.sizes[0] == 4
    losses = [row["loss"] for row in trained.history]
    assert np.isfinite(losses).all()


def test_an_export_format_is_one_row(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def write(selection: object, path: Path, metadata: object, progress: object) -> None:
        path.write_text("positions")

    rows = formats.formats() | {".txt": formats.Format("text", write, lambda path: True)}
    monkeypatch.setattr(formats, "formats", lambda: rows)
    simulate(J=10, T=0, dt=1e-3, out=tmp_path / "a.zarr")
    export(tmp_path / "a.zarr", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text() == "positions"
