"""Errors are tested by type, option and value: a ``match`` that quotes a sentence breaks with every better wording.

A literal of more than ``WORDS`` words (numbers do not count) is long. ``LONG`` is how many each folder of tests still
has: lower it, never raise it.
"""

import ast
import re
from collections import Counter
from pathlib import Path

TESTS = Path(__file__).parent
WORDS = 3
LONG = {
    "experiments": 4,
    "learning": 5,
    "metrics": 6,
    "particles": 9,
    "testing": 3,
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


def is_long(text: str) -> bool:
    """Whether ``text`` has more than `WORDS` words of two letters or more."""
    return sum(re.search("[A-Za-z]{2}", word) is not None for word in text.split()) > WORDS


def test_no_new_match_quotes_a_sentence() -> None:
    counts = Counter[str]()
    for file in sorted(TESTS.rglob("*.py")):
        folder = file.relative_to(TESTS).parts[0] if file.parent != TESTS else "."
        counts[folder] += sum(map(is_long, literals(file)))
    more = {folder: number for folder, number in counts.items() if number > LONG.get(folder, 0)}
    assert not more, (
        f"match= of more than {WORDS} words, by folder: {more}; assert on the type, the option and the value"
    )
