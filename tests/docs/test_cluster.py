"""Scripts of docs/cluster.md and others: a shell reads each, and every option that a command gets is one that it has.

`tests/executors/test_slurm_cluster.py` runs them where there is a Slurm.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from ksdp_cli.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *(f"docs/{name}.md" for name in ("cluster", "sweeps"))]
BLOCKS = [
    pytest.param(block, id=f"{Path(page).stem}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```sh\n(.*?)```", (ROOT / page).read_text(), re.S))
]
#: Options of sbatch that scripts of these pages may use, from its manual.
SBATCH = {
    "nodes",
    "ntasks",
    "ntasks-per-node",
    "cpus-per-task",
    "time",
    "signal",
    "array",
    "requeue",
    "partition",
    "mem",
}


def words_of(block: str) -> list[list[str]]:
    """The commands of a block, each as its words."""
    lines = block.replace("\\\n", " ").splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip() and not line.startswith("#")]


def options_in(words: list[str]) -> list[str]:
    return [word.partition("=")[0] for word in words if re.match(r"--?[A-Za-z]", word)]


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize("block", BLOCKS)
def test_a_shell_reads_it(block: str) -> None:
    done = subprocess.run(["bash", "-n"], input=block, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", BLOCKS)
def test_every_option_of_ksdp_is_one_that_it_has(block: str) -> None:
    verbs: Any = typer.main.get_command(app)
    # a model of eta, and the parameters of a flow, are named by options that no verb lists
    named = {"--A", "--B", "--sigma", "--mu", "--t", "--eps", "--k"}
    for words in words_of(block):
        for start in (place for place, word in enumerate(words) if word in ("ksdp", "ksdp_cli", "ksdp.sif")):
            verb, rest = words[start + 1], words[start + 2 :]
            if verb in verbs.commands:
                known = {name for one in verbs.commands[verb].params for name in (*one.opts, *one.secondary_opts)}
                unknown = {*options_in(rest)} - known - named
                assert not unknown, words


@pytest.mark.parametrize("block", [block for block in BLOCKS if "#SBATCH" in block.values[0]])
def test_every_option_of_sbatch_is_one_that_it_has(block: str) -> None:
    options = re.findall(r"--([a-z-]+)", " ".join(re.findall(r"^#SBATCH (.*)", block, re.M)))
    assert options
    assert {*options} <= SBATCH


def test_every_option_of_dask_is_one_that_it_has() -> None:
    pytest.importorskip("distributed", reason="the extra ksdp[dask] is not installed")
    from distributed.cli.dask_scheduler import main as scheduler
    from distributed.cli.dask_worker import main as worker

    found = 0
    for words in (words for block in BLOCKS for words in words_of(block.values[0]) if "dask" in words):
        start = words.index("dask") + 1
        command = {"scheduler": scheduler, "worker": worker}[words[start]]
        known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
        assert {*options_in(words[start:])} <= known, words
        found += 1
    assert found >= 4


def test_every_option_of_torchrun_is_one_that_it_has() -> None:
    from torch.distributed.run import get_args_parser

    known = {name for action in get_args_parser()._actions for name in action.option_strings}
    commands = [words for block in BLOCKS for words in words_of(block.values[0]) if "torchrun" in words]
    assert len(commands) >= 2
    for words in commands:
        own = words[words.index("torchrun") + 1 : words.index("ksdp_cli")]
        assert {*options_in(own)} <= known, words
