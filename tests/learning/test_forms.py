"""Forms of the network: what each reads of eta, and that one entry makes a form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ksdp_cli.errors import ConfigError
from ksdp_cli.learning.eta_map import EtaMap
from ksdp_cli.learning.model import Model
from ksdp_cli.learning.network.forms import FORMS, Form, form_name
from ksdp_cli.learning.network.network import Network

ETA = np.array([[3.0, 0.02], [130.0, 0.15]])
BOTH = EtaMap(("A", "t"), (1.0, 0.0), (100.0, 0.1), (True, False), (50.0, 0.05))


@pytest.mark.parametrize("form", FORMS)
def test_what_a_network_reads(form: str) -> None:
    u, v = ETA[:, 0] / 100, ETA[:, 1] / 0.1
    mapped = np.stack([np.log10(ETA[:, 0]) - 1, 2 * v - 1], 1)
    one, log = np.ones(2), mapped[:, 0]
    bend = np.array([v[0] ** 2, 1 + 1.5 * (v[1] - 1)])  # straight beyond what was trained
    wanted = {
        "separable": [one, u, v, u * v],
        "product": [a * b for a in (one, u, log) for b in (one, v, bend)],
    }.get(form, mapped.T)
    np.testing.assert_allclose(BOTH.padding(form, ETA), np.stack([*wanted], 1), rtol=1e-6)


def test_the_form_of_auto_and_what_is_refused() -> None:
    assert [form_name("auto", p) for p in (1, 2, 3)] == ["separable", "product", "residual"]
    with pytest.raises(ConfigError, match="'fourier'"):
        form_name("fourier", 1)
    for form in ("separable", "product"):
        with pytest.raises(ConfigError, match="--network residual"):
            form_name(form, 3)


def test_one_entry_makes_a_form(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """f = x + u^2 N_1(x) for one parameter: x at eta = 0, and back from a file; folding changes nothing."""
    monkeypatch.setitem(FORMS, "square", Form(lambda log: ((("curved", 0),),), residual=True, weighed=True, most=1))
    network, eta_map = Network(2, 1, "square"), EtaMap(("t",), (0.0,), (0.1,), (False,), (0.05,))
    Model(network, network.initial(1), eta_map, {}, {}).save(tmp_path / "m.safetensors")
    model, x = Model.load(tmp_path / "m.safetensors"), np.random.default_rng(0).standard_normal((20, 2))
    x = x.astype(np.float32)
    np.testing.assert_array_equal(model.push(x, [0.0]), x)
    change = {t: model.push(x, [t]).astype(float) - x for t in (0.05, 0.1)}
    np.testing.assert_allclose(change[0.1], 4 * change[0.05], atol=1e-6)
    np.testing.assert_allclose(model.push(x, np.full((20, 1), 0.05)), model.push(x, [0.05]), atol=1e-6)
