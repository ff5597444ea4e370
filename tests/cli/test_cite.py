"""ksdp cite: what it prints is BibTeX, and says what CITATION.cff says."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ksdp_cli import citation

from .conftest import Ksdp

CFF = (Path(__file__).parents[2] / "CITATION.cff").read_text(encoding="utf-8")


def cff(text: str, name: str) -> str:
    """A value of one key, also one folded over lines, without a parser of YAML."""
    (found,) = re.findall(rf"^ *{name}: (?:>-\n((?: {{4}}.*\n)+)|(.*)\n)", text, re.MULTILINE)
    return " ".join("".join(found).split()).strip('"')


def entries(bibtex: str) -> dict[str, dict[str, str]]:
    """Each entry by its key; braces must balance."""
    assert bibtex.count("{") == bibtex.count("}")
    found = re.findall(r"^@(\w+)\{([\w-]+),\n(.*?)^\}", bibtex, re.MULTILINE | re.DOTALL)
    return {
        key: {"kind": kind, **dict(re.findall(r"^  (\w+) *= \{(.*)\},$", body, re.MULTILINE))}
        for kind, key, body in found
    }


def test_the_command_prints_two_entries_of_bibtex_and_their_text(ksdp: Ksdp) -> None:
    done = ksdp("cite")
    assert done.returncode == 0, done.stderr
    found = entries(done.stdout)
    assert {found[key]["kind"] for key in found} == {"article", "software"}
    assert found[citation.PAPER]["author"] == "Wang, Zhongjian and Xin, Jack and Zhang, Zhiwen"
    assert "Z. Wang, J. Xin and Z. Zhang." in done.stdout
    document = json.loads(ksdp("cite", "--json").stdout)
    assert entries(document["bibtex"]) == found


def test_it_says_what_the_citation_file_says() -> None:
    software, _, paper = CFF.partition("preferred-citation:")
    found = entries(citation.bibtex())
    assert found["ksdp"]["title"].strip("{}") == cff(software, "title")
    assert found["ksdp"]["author"].strip("{}") == cff(software, "- name")
    assert found[citation.PAPER]["title"].strip("{}") == cff(paper, "title")
    assert found[citation.PAPER]["year"] == cff(paper, "year")
    assert f"arXiv:{found[citation.PAPER]['eprint']}" in paper
    names = zip(re.findall(r"family-names: (.*)", paper), re.findall(r"given-names: (.*)", paper), strict=True)
    assert found[citation.PAPER]["author"] == " and ".join(f"{family}, {given}" for family, given in names)
