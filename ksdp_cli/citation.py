"""How to cite the paper and the software: the facts of CITATION.cff, which an installed package does not carry."""

from __future__ import annotations

from typing import NamedTuple

from .plugins import own_version

PAPER = "wang-xin-zhang-2022"


class Paper(NamedTuple):
    """The publication whose method ksdp implements."""

    title: str
    authors: tuple[tuple[str, str], ...]
    year: int
    arxiv: str


PAPER_FACTS = Paper(
    "A DeepParticle method for learning and generating aggregation patterns in multi-dimensional Keller-Segel "
    "chemotaxis systems",
    (("Wang", "Zhongjian"), ("Xin", "Jack"), ("Zhang", "Zhiwen")),
    2022,
    "2209.00109",
)
SOFTWARE_TITLE = "ksdp: DeepParticle for Keller-Segel chemotaxis"
SOFTWARE_AUTHORS = "The ksdp developers"


def bibtex() -> str:
    """Two entries, the paper and the software in the version that runs."""
    paper = PAPER_FACTS
    fields = {
        "title": "{" + paper.title + "}",
        "author": " and ".join(f"{family}, {first}" for family, first in paper.authors),
        "year": str(paper.year),
        "eprint": paper.arxiv,
        "archivePrefix": "arXiv",
    }
    own = {
        "title": "{" + SOFTWARE_TITLE + "}",
        "author": "{" + SOFTWARE_AUTHORS + "}",
        "version": own_version(),
    }
    return _entry("article", PAPER, fields) + "\n" + _entry("software", "ksdp", own)


def text() -> str:
    """The same as two sentences for a list of references."""
    paper = PAPER_FACTS
    names = [f"{first[0]}. {family}" for family, first in paper.authors]
    who = ", ".join(names[:-1]) + f" and {names[-1]}"
    return (
        f"{who}. {paper.title}. arXiv:{paper.arxiv}, {paper.year}.\n"
        f"{SOFTWARE_AUTHORS}. {SOFTWARE_TITLE}, version {own_version()}.\n"
    )


def _entry(kind: str, key: str, fields: dict[str, str]) -> str:
    width = max(map(len, fields))
    lines = [f"  {name.ljust(width)} = {{{value}}}," for name, value in fields.items()]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"]) + "\n"
