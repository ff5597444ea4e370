"""Types in signatures: `Any` says nothing to a caller, so there may be fewer of it, and never more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import ksdp_cli

ROOT = Path(ksdp_cli.__file__).parent
#: `Any` in the annotations of arguments and results. Lower it with the code.
MOST = 60
#: The names that stand for what no type can say, and where each is defined.
ALIASES = {"Array": "base/arrays.py", "JsonDict": "base/files.py"}


def annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            a = node.args
            arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(one for one in (a.vararg, a.kwarg) if one)]
            yield from (one.annotation for one in arguments if one.annotation)
            if node.returns:
                yield node.returns


def test_any_in_signatures_does_not_grow() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")]
    found = [
        part
        for tree in trees
        for annotation in annotations(tree)
        for part in ast.walk(annotation)
        if isinstance(part, ast.Name) and part.id == "Any"
    ]
    assert 0 < len(found) <= MOST


def test_any_has_no_other_name() -> None:
    bodies = {
        target.id: str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "TypeAlias"
        for target in [node.target]
        if isinstance(target, ast.Name) and ast.unparse(node.value or node) in ("Any", "dict[str, Any]")
    }
    assert bodies == ALIASES
