"""What a kernel may contain, what is said when it contains something else, and where generated modules go."""

from __future__ import annotations

import ast
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ksdp_cli.errors import ConfigError
from ksdp_cli.kernels.blob import Blob
from ksdp_cli.kernels.gaussian import Gaussian
from ksdp_cli.particles.kernel_compiler import module_cache
from ksdp_cli.particles.kernel_compiler.source import array_function, load_module, source

TABLE = [1.0, 2.0]


def _loop(r2: float) -> float:
    return _loop(r2)


def _two(a: float, b: float) -> float:
    return a + b


class Bad:
    """Each method breaks one rule."""

    @staticmethod
    def branch(r2, delta2):  # type: ignore[no-untyped-def]
        if r2 > delta2:
            return 1.0
        return 2.0

    @staticmethod
    def table(r2, delta2):  # type: ignore[no-untyped-def]
        return r2 * TABLE[0]

    @staticmethod
    def unknown(r2, delta2):  # type: ignore[no-untyped-def]
        return r2 + nowhere  # type: ignore[name-defined]  # noqa: F821

    @staticmethod
    def function(r2, delta2):  # type: ignore[no-untyped-def]
        return math.gamma(r2)

    @staticmethod
    def array(r2, delta2):  # type: ignore[no-untyped-def]
        return np.sqrt(r2)

    @staticmethod
    def power(r2, delta2):  # type: ignore[no-untyped-def]
        return r2**0.5

    @staticmethod
    def condition(r2, delta2):  # type: ignore[no-untyped-def]
        return 1.0 if delta2 < r2 < 1.0 else 2.0

    @staticmethod
    def recursion(r2, delta2):  # type: ignore[no-untyped-def]
        return _loop(r2)

    @staticmethod
    def arity(r2, delta2):  # type: ignore[no-untyped-def]
        return _two(r2)  # type: ignore[call-arg]

    @staticmethod
    def default(r2, delta2=1.0):  # type: ignore[no-untyped-def]
        return r2

    @staticmethod
    def nothing(r2, delta2):  # type: ignore[no-untyped-def]
        w = r2  # noqa: F841

    @staticmethod
    def unpack(r2, delta2):  # type: ignore[no-untyped-def]
        a, b = r2, delta2
        return a + b

    @staticmethod
    def domain(r2, delta2):  # type: ignore[no-untyped-def]
        return math.sqrt(-1.0) * r2


REFUSED = {
    "branch": "'if r2 > delta2:'",
    "table": r"'TABLE\[0\]'",
    "unknown": "'nowhere'",
    "function": "'math.gamma'",
    "array": "'np.sqrt'",
    "power": "1 to 8",
    "condition": "one comparison",
    "recursion": "'_loop' calls itself",
    "arity": "1 .* 2",
    "default": "default values",
    "nothing": "'return expression'",
    "unpack": "'a, b = ",
    "domain": "sqrt",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_allowed_is_named_with_its_line(name: str) -> None:
    kernel = type("Mine", (), {"g2d": staticmethod(getattr(Bad, name))})
    with pytest.raises(ConfigError, match=rf"Mine.* line \d+: .*{REFUSED[name]}") as caught:
        source(kernel, 2, "float32")
    lines = Path(__file__).read_text().splitlines()
    line = int(str(caught.value).split("line ")[1].split(":")[0])
    assert any(mark in lines[line - 1] for mark in ("return", "if", "a, b", "def", "staticmethod"))


def test_a_function_without_source_is_refused() -> None:
    space: dict[str, object] = {}
    exec("def g(r2, delta2):\n    return r2\n", space)
    with pytest.raises(ConfigError, match="kernel Typed"):
        source(type("Typed", (), {"g2d": staticmethod(space["g"])}), 2, "float32")


def test_float32_text_holds_no_untyped_number() -> None:
    functions = [node for node in ast.parse(source(Gaussian, 3, "float32")).body if isinstance(node, ast.FunctionDef)]
    calls = [node for function in functions for node in ast.walk(function) if isinstance(node, ast.Call)]
    typed = {id(node.args[0]) for node in calls if ast.unparse(node.func) == "REAL"}
    numbers = [n for f in functions for s in f.body for n in ast.walk(s) if isinstance(n, ast.Constant)]
    assert len(numbers) > 10
    assert {id(node) for node in numbers} <= typed
    module = load_module("@njit\ndef f(r2):\n    return g(r2, REAL(0.1))\n", Gaussian, 3, "float32")
    module.f(np.float32(0.5))
    assert str(module.f.nopython_signatures[0].return_type) == "float32"


class Product:
    """One expression in several ways of writing it, all of them x^-3/2 / 7."""

    @staticmethod
    def a(r2, delta2):  # type: ignore[no-untyped-def]
        return 1.0 / (7.0 * (r2 + delta2) * math.sqrt(r2 + delta2))

    @staticmethod
    def b(r2, delta2):  # type: ignore[no-untyped-def]
        q = r2 + delta2
        return -2.0 / math.sqrt(q) / (-14.0) / q

    @staticmethod
    def c(r2, delta2):  # type: ignore[no-untyped-def]
        q = r2 + delta2
        return math.sqrt(q) / 7.0 / (q * q)


@pytest.mark.parametrize("name", ["a", "b", "c"])
def test_constants_leave_the_loop_however_the_kernel_is_written(name: str) -> None:
    kernel = type("Power", (), {"g2d": staticmethod(getattr(Product, name))})
    text = source(kernel, 2, "float64")
    assert float(text.split()[2]) == pytest.approx(1 / 7)
    assert "REAL(7" not in text
    module = load_module("@njit\ndef f(r2):\n    return SCALE * g(r2, REAL(0.25))\n", kernel, 2, "float64")
    assert module.f(2.0) == pytest.approx(2.25**-1.5 / 7, rel=1e-12)


def test_a_division_by_zero_is_refused() -> None:
    class Zero:
        @staticmethod
        def g2d(r2, delta2):  # type: ignore[no-untyped-def]
            return r2 / 0.0

    with pytest.raises(ConfigError, match="divides by zero"):
        source(Zero, 2, "float32")


def test_names_of_a_kernel_cannot_hide_ours() -> None:
    class Names:
        @staticmethod
        def g2d(r2, delta2):  # type: ignore[no-untyped-def]
            log = math.log(r2 + delta2)
            sqrt = math.sqrt(r2)
            return log + sqrt

    assert array_function(Names, 2)(np.array([4.0]), 1.0) == pytest.approx(math.log(5) + 2)
    module = load_module("@njit\ndef f(r2):\n    return g(r2, REAL(1.0))\n", Names, 2, "float64")
    assert module.f(4.0) == pytest.approx(math.log(5) + 2)


@pytest.mark.parametrize("dim", [2, 3])
def test_array_function_takes_torch_tensors(dim: int) -> None:
    torch = pytest.importorskip("torch")
    r2 = np.geomspace(1e-6, 4, 50)
    expected = [getattr(Gaussian, f"g{dim}d")(float(value), 1e-3) for value in r2]
    assert np.allclose(array_function(Gaussian, dim)(r2, 1e-3), expected, rtol=1e-12)
    assert np.allclose(array_function(Gaussian, dim, torch)(torch.tensor(r2), 1e-3).numpy(), expected, rtol=1e-12)


def test_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KSDP_CACHE_DIR", str(tmp_path / "mine"))
    assert module_cache.cache_folder() == tmp_path / "mine"
    monkeypatch.delenv("KSDP_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert module_cache.cache_folder() == tmp_path / "ksdp"
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KSDP_CACHE_DIR", str(tmp_path / "file" / "below"))
    assert module_cache.cache_folder() == tmp_path / "ksdp"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file" / "below"))
    other = module_cache.cache_folder()
    assert other.is_dir()
    assert other == module_cache.cache_folder()


def test_the_second_process_does_not_compile(tmp_path: Path) -> None:
    program = (
        "import numpy as np\n"
        "from ksdp_cli.kernels.blob import Blob\n"
        "from ksdp_cli.particles.engines.direct_cpu import DirectCPU\n"
        "engine = DirectCPU(Blob, (1e-3,), 2, 'float32')\n"
        "engine(np.zeros((10, 2), np.float32))\n"
        "print(sum(engine.accumulate.stats.cache_hits.values()), sum(engine.accumulate.stats.cache_misses.values()))\n"
    )
    told = [
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"KSDP_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for _ in range(2)
    ]
    assert told == [["0", "1"], ["1", "0"]]


def test_the_same_kernel_is_one_module() -> None:
    assert load_module("", Blob, 2, "float32") is load_module("", Blob, 2, "float32")
