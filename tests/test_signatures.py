"""Types in signatures: `Any` says nothing to a caller, so there may be less of it, and never more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import ksdp_cli

ROOT = Path(ksdp_cli.__file__).parent
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")}
#: `Any`, and other names for types with it, in the annotations of arguments and results. Lower it with the code.
MOST = 76
#: In these `Any` says no more than "of every precision".
PRECISE = {"floating", "inexact", "integer"}
#: The names of module-level types that have `Any` in them.
ALIASES = {"JsonDict"}


def annotations(tree: ast.Module) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            a = node.args
            arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(one for one in (a.vararg, a.kwarg) if one)]
            yield from (one.annotation for one in arguments if one.annotation)
            if node.returns:
                yield node.returns


def count(node: ast.AST, names: set[str]) -> int:
    """How often one of ``names`` stands in an annotation, where it is not a precision."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr in PRECISE:
        return 0
    own = isinstance(node, ast.Name) and node.id in names
    return own + sum(count(part, names) for part in ast.iter_child_nodes(node))


def aliases(tree: ast.Module) -> Iterator[str]:
    """Types of a module that hide an `Any`: ``Name = ...``, and ``Name: TypeAlias = ...``."""
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(
            node.value, ast.Subscript | ast.BinOp | ast.Name
        ):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if count(node.value, {"Any"}):
                yield from (target.id for target in targets if isinstance(target, ast.Name))


def test_any_in_signatures_does_not_grow() -> None:
    names = {"Any", *ALIASES}
    assert 0 < sum(count(annotation, names) for tree in TREES.values() for annotation in annotations(tree)) <= MOST


def test_any_has_no_other_name() -> None:
    assert {name for tree in TREES.values() for name in aliases(tree)} == ALIASES
