"""Errors are tested by type, option and value: a ``match`` that quotes a sentence breaks with every better wording.

A literal of more than ``WORDS`` words is long. ``LONG`` is how many each folder of tests still has: lower it, never
raise it.
"""

import ast
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent
WORDS = 3
LONG = {
    "api": 28,
    "executors": 4,
    "experiments": 6,
    "export": 5,
    "faults": 16,
    "figures": 16,
    "laws": 2,
    "learning": 6,
    "metrics": 13,
    "models": 2,
    "particles": 10,
    "report": 4,
    "store": 11,
    "testing": 4,
}


def literals(file: Path) -> list[str]:
    """The text of each ``match=`` of a call in ``file``; of an f-string or a sum its constant parts."""
    texts = []
    for call in ast.walk(ast.parse(file.read_text())):
        for argument in call.keywords if isinstance(call, ast.Call) else ():
            if argument.arg == "match":
                parts = [n.value for n in ast.walk(argument.value) if isinstance(n, ast.Constant)]
                texts.append(" ".join(part for part in parts if isinstance(part, str)))
    return texts


def test_no_new_match_quotes_a_sentence() -> None:
    counts = Counter[str]()
    for file in sorted(TESTS.rglob("*.py")):
        folder = file.relative_to(TESTS).parts[0] if file.parent != TESTS else "."
        counts[folder] += sum(len(text.split()) > WORDS for text in literals(file))
    more = {folder: number for folder, number in counts.items() if number > LONG.get(folder, 0)}
    assert not more, (
        f"match= of more than {WORDS} words, by folder: {more}; assert on the type, the option and the value"
    )
