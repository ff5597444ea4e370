"""What a solver returns is checked before it is used."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ksdp_cli.assignment.certified.solver import Certified
from ksdp_cli.config import TrainConfig, build
from ksdp_cli.errors import ConfigError
from ksdp_cli.initial.ball import Ball
from ksdp_cli.learning.data import TrainingData
from ksdp_cli.learning.trainer import train


@pytest.mark.parametrize("spoil", [lambda rows: rows[:, :-1], list, lambda rows: rows * 1.0, np.zeros_like])
def test_what_is_no_array_of_permutations_is_refused(spoil: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    solve = Certified.solve

    def spoilt(*arguments: Any, **options: Any) -> Any:
        found = solve(*arguments, **options)
        return replace(found, permutation=spoil(found.permutation))

    x = Ball().draw(100, 2, 0)
    clouds = np.stack([x, 2 * x]).astype(np.float32)
    data = TrainingData(clouds, np.array([[1.0], [2.0]]), ("A",), lambda n, stream: Ball().draw(n, 2, 0, stream=stream))
    monkeypatch.setattr(Certified, "solve", spoilt)
    with pytest.raises(ConfigError, match="not permutations"):
        train(data, build(TrainConfig, {"N": 20, "steps": 2, "solver": "certified", "network": "separable"}))
