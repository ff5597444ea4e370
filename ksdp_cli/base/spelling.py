"""The name that was meant by a misspelt one."""

from __future__ import annotations

from collections.abc import Iterable

#: Words of other programs for options, the likeliest first.
WORDS = {
    "lr": ["learning-rate"],
    "epochs": ["steps"],
    "iterations": ["steps"],
    "batch-size": ["n"],
    "particles": ["j", "n"],
    "gpu": ["device"],
}


def nearest(name: str, names: Iterable[str]) -> str | None:
    """Return which of the ``names`` was meant: but for capitals and dashes the same, a near one, or a beginning.

    Of two that differ by capitals alone, as T and t, it is the one with those of ``name``, or the first.
    """
    import difflib

    given = name.lstrip("-").replace("_", "-")
    word, known = given.lower(), dict[str, list[str]]()
    for one in names:
        known.setdefault(one.lstrip("-").replace("_", "-").lower(), []).append(one)
    same = [one for one in (word, *WORDS.get(word, [])) if one in known]
    close = same or difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    begins = close or [one for one in known if len(one) > 2 and word.startswith(one)]
    if not begins:
        return None
    alike = known[begins[0]]
    return next((one for one in alike if one.lstrip("-").replace("_", "-") == given), alike[0])
