"""Many processes that start at once on an empty cache of compiled code, and a cache that can only be read."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

NUMBERS = """
import hashlib
from ksdp_cli.base import compiling, rng
found = rng.normals(1, 2, 3, 0, 1000, 2).tobytes() + rng.uniforms(1, 2, 3, 0, 1000, 2).tobytes()
print(hashlib.sha256(found).hexdigest(), compiling.spent > 0)
"""
RUN = """
import hashlib, sys, tempfile
import ksdp
from ksdp_cli.base import compiling
with tempfile.TemporaryDirectory() as folder:
    run = ksdp.simulate(J=50, T=1e-3, dt=1e-3, out=folder + "/a.zarr", dim=int(sys.argv[1]), engine="direct")
    print(hashlib.sha256(run.frame().tobytes()).hexdigest(), compiling.spent > 0)
"""


def told(program: str, cache: Path, *words: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", program, *words]
    env = os.environ | {"KSDP_CACHE_DIR": str(cache)}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def at_once(program: str, cache: Path, *words: str) -> None:
    """Four processes find the same; a fifth finds it too, and compiles nothing."""
    jobs = [told(program, cache, *words) for _ in range(4)]
    said = [job.communicate(timeout=500) for job in jobs]
    assert [job.returncode for job in jobs] == [0] * 4, said
    digests = {out.split()[0] for out, _ in said}
    assert len(digests) == 1
    out, error = told(program, cache, *words).communicate(timeout=200)
    assert out.split() == [*digests, "False"], error


def test_four_processes_fill_one_empty_cache(tmp_path: Path) -> None:
    at_once(NUMBERS, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(20))
def test_four_runs_fill_one_empty_cache(tmp_path: Path, turn: int) -> None:
    at_once(RUN, tmp_path, str(2 + turn % 2))


def test_a_filled_cache_that_cannot_be_written_is_read(tmp_path: Path) -> None:
    """Also where the system lets everybody write: the folder then is made to refuse."""
    filled = tmp_path / "filled"
    first = told(NUMBERS, filled).communicate(timeout=200)[0].split()
    refuse = """
import tempfile
from ksdp_cli.base import cache_folder
made = tempfile.TemporaryFile
def refused(*given, dir=None, **options):
    if dir is not None and str(dir).endswith("filled"):
        raise PermissionError(13, "read-only")
    return made(*given, dir=dir, **options)
tempfile.TemporaryFile = refused
"""
    for file in filled.iterdir():
        file.chmod(stat.S_IREAD)
    again, error = told(refuse + NUMBERS, filled).communicate(timeout=200)
    assert again.split() == [first[0], "False"], error
    assert first[1] == "True"


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("length", [0, 5, -3])
def test_a_file_that_a_crash_has_cut_short_is_written_again(ending: str, length: int, tmp_path: Path) -> None:
    from ksdp_cli.base import compiled

    files = compiled._File(str(tmp_path), "f[1]", "stamp")
    files.save("key", "code")
    assert files.load("key") == "code"
    (file,) = tmp_path.glob(f"*.{ending}")
    file.write_bytes(file.read_bytes()[:length])
    left = tmp_path / f"{file.name}.tmp.0123456789abcdef"  # what a killed process was writing
    left.touch()
    assert files.load("key") is None
    files.save("key", "new code")
    assert files.load("key") == "new code"
    assert not left.exists() or os.name == "nt"
