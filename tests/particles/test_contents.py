"""What tells a user's instance or class from another: equal where all is, else another number."""

from __future__ import annotations

import math
from functools import cached_property, partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from numba import njit
from pydantic import Field

import ksdp_cli as ksdp
from ksdp_cli.errors import ConfigError
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.particles.contents import contents
from ksdp_cli.plugin import Params


class Holder:
    dims: ClassVar[tuple[int, ...]] = (2,)

    def __init__(self, held: Any) -> None:
        self.held = held

    @cached_property
    def sum(self) -> float:
        return float(np.sum(self.held))


class Slotted:
    __slots__ = ("held",)

    def __init__(self, held: Any) -> None:
        self.held = held


def scaled(factor: float) -> Any:
    return lambda x: factor * x


PAIRS = [
    (1.0, 3.0),
    ([1, 2], [1, 3]),
    ({"a": 1}, {"a": 2}),
    (np.zeros(3), np.array([0.0, 0.0, 1e-300])),
    (np.zeros(4, np.float32), np.zeros(4)),
    (np.zeros((2, 3)), np.zeros((3, 2))),
    ({1, 2}, {1, 3}),
    (scaled(1.0), scaled(2.0)),
    (partial(pow, 2), partial(pow, 3)),
    (Slotted(1), Slotted(2)),
    (math.sin, math.cos),
    (np.sin, np.cos),
    (np.random.default_rng(1), np.random.default_rng(2)),
    (lambda x: x + 1, lambda x: x + 2),
    (lambda x=1: x, lambda x=2: x),
    (njit(scaled(1.0)), njit(scaled(2.0))),
    ("a", "b"),
    (1, 1.0),
]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_the_attributes_of_an_instance_count(one: Any, other: Any) -> None:
    assert contents(Holder(one)) == contents(Holder(one)) is not None
    assert contents(Holder(one)) != contents(Holder(other))


def made(body: str) -> Any:
    """The class C of a source text, as a notebook has it: there is no file."""
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(body, space)
    return space["C"]


BODY = """
WIDTH = {width}
def f(x):
    return x {sign} 1
class B:
    b = {b}
class C(B):
    def v(self, x):
        return WIDTH * f(x)
"""


def test_the_code_of_a_class_counts_and_its_comments_do_not() -> None:
    first = made(BODY.format(width=1, sign="+", b=0))
    for change in ({"width": 2}, {"sign": "-"}, {"b": 1}):
        assert contents(made(BODY.format(**{"width": 1, "sign": "+", "b": 0} | change))) != contents(first)
    again = made("# the same\n\n" + BODY.format(width=1, sign="+", b=0))
    assert contents(again) == contents(first) is not None


def test_cached_properties_and_unknown_contents() -> None:
    one = Holder([1.0])
    before = contents(one)
    assert one.sum == 1.0
    assert contents(one) == before
    with Path(__file__).open() as file:
        assert contents(Holder(file)) is None
    loop = Holder(None)
    loop.held = loop
    assert contents(loop) is not None


class Wind:
    """A flow that blows along x; another speed makes another run."""

    dims = (2,)

    class Params(Params):
        pass

    def __init__(self, speed: float) -> None:
        self.speed = speed

    def velocity(self, x: Any, t: float) -> Any:
        return 0 * x + self.speed


class Bumps:
    dims = (2,)

    def __init__(self, apart: float) -> None:
        self.apart = apart

    def draw(self, n: int, dim: int, seed: int, start: int = 0, stream: int = 0) -> np.ndarray:
        return np.linspace(0, self.apart, 2 * n).reshape(n, 2).astype(np.float32)


class Weak(Blob):
    """Half the attraction."""

    class Params(Params):
        spare: float = Field(1.0, description="not used")

    @staticmethod
    def g2d(r2: Any, delta2: Any, spare: Any) -> Any:
        return 1.0 / (4 * math.pi * (r2 + delta2))


class Unknown(Bumps):
    def __init__(self, apart: float) -> None:
        super().__init__(apart)
        self.stream = memoryview(b"1")


@pytest.mark.parametrize(
    ("first", "other"),
    [
        ({"flow": Wind(1.0)}, {"flow": Wind(2.0)}),
        ({"init": Bumps(1.0)}, {"init": Bumps(3.0)}),
        ({"init": Unknown(1.0)}, {"init": Unknown(1.0)}),
    ],
)
def test_another_instance_does_not_resume_the_run_of_the_first(tmp_path: Path, first: Any, other: Any) -> None:
    common = {"J": 20, "T": 2e-3, "dt": 1e-3, "out": tmp_path / "a.zarr", "resume": True}
    ksdp.simulate(**first, **common)
    if "Unknown" not in str(first):
        ksdp.simulate(**first, **common)
    with pytest.raises(ConfigError, match=r"\(contents"):
        ksdp.simulate(**other, **common)


def test_another_text_of_a_kernel_is_another_run(tmp_path: Path) -> None:
    common = {"J": 20, "T": 2e-3, "dt": 1e-3, "out": tmp_path / "a.zarr", "resume": True}
    ksdp.simulate(kernel=Weak, **common)
    assert len(ksdp.simulate(kernel=Weak, **common | {"T": 4e-3}).times) == 2

    class Other(Weak):
        __qualname__ = "Weak"

        @staticmethod
        def g2d(r2: Any, delta2: Any, spare: Any) -> Any:
            return 1.0 / (3 * math.pi * (r2 + delta2))

    with pytest.raises(ConfigError, match=r"\(contents"):
        ksdp.simulate(kernel=Other, **common)


def test_a_class_in_a_file_and_a_frame_of_a_store_start_a_run(tmp_path: Path) -> None:
    (tmp_path / "law.py").write_text(
        "import numpy as np\nWIDTH = 2.0\nclass Line:\n    dims = (2,)\n"
        "    def draw(self, n, dim, seed, start=0, stream=0):\n"
        "        return WIDTH * np.ones((n, dim), np.float32) * np.arange(start, start + n, dtype='f4')[:, None]\n"
    )
    common = {"J": 20, "T": 0, "dt": 1e-3}
    run = ksdp.simulate(init=f"{tmp_path}/law.py:Line", out=tmp_path / "plain", **common)
    assert run.frame()[:, 0].tolist() == [2.0 * i for i in range(20)]
    assert run.config["init"] == "law:Line"
    for name in (f"{tmp_path}/plain", f"{tmp_path}/plain/", f"{tmp_path}/plain@t=0", f"{tmp_path}/plain@mu=1,t=0"):
        again = ksdp.simulate(init=name, out=tmp_path / "b.zarr", overwrite=True, **common)
        assert np.array_equal(again.frame(), run.frame())
    for name, told in ((f"{tmp_path}/plain@t=1", "no snapshot"), (f"{tmp_path}/plain@A=1", "no parameter"),
                       (f"{tmp_path}/law.py:None_", "no class"), (f"{tmp_path}/no.py:Line", "cannot be run"),
                       ("os:system", "no initial cloud"), (f"{tmp_path}/none.zarr", "no store")):  # fmt: skip
        with pytest.raises(ksdp.KsdpError, match=told):
            ksdp.simulate(init=name, out=tmp_path / "c.zarr", **common)


def test_a_run_from_a_law_of_ones_own_is_trained_on_in_the_same_process(tmp_path: Path) -> None:
    class Blocks(Bumps):
        pass

    run = ksdp.simulate(init=Blocks(1.0), M=[1, 10, 40], J=100, T=2e-3, dt=1e-3, out=tmp_path / "a.zarr")
    assert ksdp.train(run, steps=2, N=20, out=tmp_path / "a.safetensors").path.exists()
