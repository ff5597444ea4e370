"""Errors are tested by type, option and value: a ``match`` that quotes a sentence breaks with every better wording.

A literal of more than ``WORDS`` words (numbers do not count) is long.
"""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parent
WORDS = 3


def literals(file: Path) -> list[str]:
    """The text of each ``match=`` of a call in ``file`` (constant parts of an f-string or a sum), and each text of a
    ``parametrize`` whose argument a ``match=`` uses."""
    tree, texts = ast.parse(file.read_text(encoding="utf-8")), []
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            patterns = [p.value for p in ast.walk(function) if isinstance(p, ast.keyword) and p.arg == "match"]
            texts += [" ".join(constants(pattern)) for pattern in patterns]
            if any(isinstance(pattern, ast.Name) for pattern in patterns):
                texts += [text for decorator in function.decorator_list for text in constants(decorator)]
    return texts


def constants(node: ast.AST) -> list[str]:
    return [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and isinstance(n.value, str)]


def is_long(text: str) -> bool:
    """Whether ``text`` has more than `WORDS` words of two letters or more."""
    return sum(re.search("[A-Za-z]{2}", word) is not None for word in text.split()) > WORDS


def test_no_new_match_quotes_a_sentence() -> None:
    found = list[str]()
    for file in sorted(TESTS.rglob("*.py")):
        found += [f"{file.relative_to(TESTS)}: {text}" for text in literals(file) if is_long(text)]
    assert not found, f"match= of more than {WORDS} words: {found}; assert on the type, the option and the value"
