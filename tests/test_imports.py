"""The floors of the house: imports go downwards, and the light floor stays light."""

from __future__ import annotations

import ast
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ksdp_cli

ROOT = Path(ksdp_cli.__file__).parent
MODULES = {
    ".".join(("ksdp_cli", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in ROOT.rglob("*.py")
}
FLOORS = [
    {"errors", "hookspecs", "registry", "lazy"},  # the contract of a plugin's author
    {"base"},
    {"plugins", "builtin", "config", "provenance", "pretrained", "citation", "presets"},
    {"flows", "kernels", "initial", "assignment", "exact", "executors"},
    {"particles", "chemistry", "learning", "metrics", "store", "figures"},
    {"plugin"},  # what a plugin imports, by lazy names
    {"exporters"},
    {"api", "testing"},
    {"views", "laws"},
    {"experiments"},  # above the verbs that they call
    {"cli"},
    {"__main__"},
]
FLOOR = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
#: Rooms of one floor that may see each other: each exception with its reason.
SAME_FLOOR = {
    ("plugins", "builtin"),  # the manifest of what ships is loaded first
    ("provenance", "config"),
    ("presets", "config"),
    ("initial", "exact"),  # clouds of exact solutions
    ("citation", "plugins"),  # the version
    ("learning", "particles"),  # the kernel-free compiled helpers
    ("chemistry", "particles"),  # the mesh that fields live on
    ("particles", "chemistry"),  # the contract that a step is written against
}


def imported(path: Path) -> set[str]:
    """Rooms of ksdp_cli that a module imports at any depth, outside TYPE_CHECKING blocks."""
    package = ["ksdp_cli", *path.relative_to(ROOT).parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            full = [*base, *(node.module.split(".") if node.module else [])]
            names = [full] if len(full) > 1 else [[*full, alias.name] for alias in node.names]
            found |= {name[1] for name in names if name[0] == "ksdp_cli" and len(name) > 1}
    return found


@pytest.mark.parametrize("path", sorted(ROOT.rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_downwards(path: Path) -> None:
    parts = path.relative_to(ROOT).parts
    room = parts[0].removesuffix(".py")
    if room == "__init__":
        return
    for other in imported(path) - {room, "__init__"}:
        if other not in FLOOR:
            continue
        assert FLOOR[other] <= FLOOR[room], f"{room} imports {other} from a floor above"
        if FLOOR[other] == FLOOR[room] and FLOOR[room] != 0:
            assert (room, other) in SAME_FLOOR, f"{room} and {other} share a floor"


def dependencies(module: str, path: Path) -> set[str]:
    """Modules of ksdp_cli that ``module`` imports at any depth, outside TYPE_CHECKING blocks."""
    package = module.split(".")[: None if path.name == "__init__.py" else -1]
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    found = set()
    while pending:
        node = pending.pop()
        if not (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")):
            pending += ast.iter_child_nodes(node)
        if isinstance(node, ast.ImportFrom) and node.level:
            base = ".".join(package[: len(package) - node.level + 1] + ([node.module] if node.module else []))
            found |= {f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names}
    return found - {module}


def test_no_modules_import_each_other() -> None:
    """Not inside of functions either: what needs that has its parts in the wrong files."""
    graph = {module: dependencies(module, path) for module, path in MODULES.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(reversed(error.args[1])))


def test_only_the_store_imports_zarr_and_xarray() -> None:
    for path in ROOT.rglob("*.py"):
        if path.is_relative_to(ROOT / "store"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            assert not {name.split(".")[0] for name in names} & {"zarr", "xarray"}, path


TINY = ("simulate", "--J", "50", "--T", "1e-3", "-o", "tiny.zarr")
#: What takes more than 50 ms to import.
HEAVY = {"matplotlib", "numba", "numpy", "ot", "pandas", "rich", "scipy", "torch", "xarray", "zarr"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the complete run of `TINY`."""
    place = tmp_path_factory.mktemp("imports")
    ksdp_cli.simulate(J=50, T=1e-3, out=place / "tiny.zarr")
    return place


@pytest.mark.parametrize(
    ("arguments", "needed"),
    [
        (["--help"], ""),
        (["--version"], ""),
        (["simulate", "--help"], ""),
        (["plugins"], ""),
        (["presets"], ""),
        (["cite"], ""),
        (["info", "tiny.zarr"], "numpy zarr"),
        ([*TINY, "--resume"], "numpy zarr"),  # complete: nothing is drawn or moved
        (["export", "tiny.zarr", "-o", "tiny.npz", "--overwrite"], "numpy zarr"),
        ([*TINY, "--overwrite"], "numpy zarr numba scipy"),
    ],
)
def test_commands_import_only_what_they_need(arguments: list[str], needed: str, folder: Path) -> None:
    program = (
        "import sys\n"
        "from ksdp_cli.cli.app import main\n"
        f"sys.argv = ['ksdp', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"more = {HEAVY - set(needed.split())!r} & set(sys.modules)\n"
        "assert not more, more\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
