"""A stranger's distance and table stand in `ksdp compare` by their registered names."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np

from tests.plugins.conftest import Site

MANIFEST = """
from ksdp_cli import Component, hookimpl

@hookimpl
def ksdp_metrics():
    return [Component("means", "own_metrics:Means", "means"), Component("widths", "own_metrics:Widths", "widths"),
            Component("thing", "own_metrics:Thing", "no metric")]
"""
METRICS = """
from ksdp_cli.metrics import Distance, Profile, Transport

class Means(Distance):
    title = "distance of the means"
    def transport(self, x, y):
        return Transport(float(((x.mean(0) - y.mean(0)) ** 2).sum()))

class Widths(Profile):
    title, columns = "widths", ("axis", "cloud", "reference")
    def rows(self, cloud, reference):
        return [{"axis": float(i), "cloud": float(a), "reference": float(b)}
                for i, (a, b) in enumerate(zip(cloud.std(0), reference.std(0)))]

class Thing:
    title, transport, rows = "thing", None, None
"""


def test_a_metric_by_its_name(make_site: Callable[[], Site]) -> None:
    site = make_site()
    site.add("own", MANIFEST, own_metrics=METRICS)
    x = np.random.default_rng(0).standard_normal((300, 2))
    np.save(site.folder / "a.npy", x)
    np.save(site.folder / "b.npy", 2 * x + [3.0, 4.0])
    done = site.ksdp("compare", "a.npy", "b.npy", "--metric", "means,own:widths", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    apart = np.array([3.0, 4.0]) + x.mean(0)
    np.testing.assert_allclose(document["means"]["distance"]["mean"], apart @ apart, rtol=1e-6)
    np.testing.assert_allclose([r["reference"] for r in document["own:widths"]], 2 * x.std(0), rtol=1e-6)
    table = site.ksdp("compare", "a.npy", "b.npy", "--metrics", "means,widths")
    assert "distance of the" in table.stdout
    assert "widths" in table.stdout
    wrong = site.ksdp("compare", "a.npy", "b.npy", "--metrics", "thing")
    assert wrong.returncode == 2
    assert "'thing'" in wrong.stderr
